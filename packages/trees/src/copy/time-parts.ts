const billion = 1_000_000_000n

/** Splits nanoseconds since 1970, which may be negative, into seconds and nanoseconds for system calls. */
export function timeParts(nanoseconds: bigint): readonly [seconds: number, nanoseconds: number] {
  const rest = ((nanoseconds % billion) + billion) % billion
  return [Number((nanoseconds - rest) / billion), Number(rest)]
}
