/** Milliseconds by which the computed time may differ from the system's clock before the offset is measured again. */
const tolerance = 0.02

/** How often the end of a millisecond is observed if the process was interrupted meanwhile. */
const attempts = 5

/** Most readings of the clock until a millisecond must have ended, so that a stopped clock does not block. */
const mostLooks = 100_000

/** Added to the monotonic clock gives the system's clock, in nanoseconds. */
let offset: bigint | undefined

/**
 * The time of the system's clock in milliseconds since 1970, with microseconds as a fraction. Follows when that clock
 * is set.
 *
 * Node gives that clock only to the millisecond. The rest is taken from the monotonic clock: on Linux both run at the
 * same rate (clock_gettime(2)), so their difference, which is measured once, stays until the clock is set or the
 * machine has slept. Each call checks that, and measures again then.
 */
export function wallTime(): number {
  const before = Date.now()
  const time = computed()
  const after = Date.now()
  // If the process was interrupted in between, only these bounds are known.
  if (time !== undefined && time >= before - tolerance && time < after + 1 + tolerance) return time
  offset = measured()
  return computed() ?? after
}

function computed(): number | undefined {
  if (offset === undefined) return undefined
  const nanoseconds = process.hrtime.bigint() + offset
  // Divided in two steps, so that no digit of a microsecond is lost.
  return Number(nanoseconds / 1_000_000n) + Number(nanoseconds % 1_000_000n) / 1_000_000
}

/** The offset, found by observing the end of a millisecond; takes at most that long, unless interrupted. */
function measured(): bigint {
  let best = nextTick()
  for (let attempt = 1; attempt < attempts && best.width > 5_000n; attempt++) {
    const found = nextTick()
    if (found.width < best.width) best = found
  }
  return best.offset
}

/** @returns also the precision: nanoseconds within which the millisecond ended */
function nextTick(): { readonly width: bigint; readonly offset: bigint } {
  const first = Date.now()
  let before = process.hrtime.bigint()
  let between = before
  for (let look = 0; ; look++) {
    const milliseconds = Date.now()
    const after = process.hrtime.bigint()
    // It ended after the reading of the system's clock before this one, which `before` precedes, and before this
    // reading.
    if (milliseconds !== first || look === mostLooks)
      return { width: after - before, offset: BigInt(milliseconds) * 1_000_000n - between }
    before = between
    between = after
  }
}
