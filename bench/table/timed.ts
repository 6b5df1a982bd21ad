/** When something was measured, in seconds of CLOCK_MONOTONIC. */
export interface Span {
  /** Those of which it gave a value, by id. */
  readonly rows: readonly string[]
  readonly from: number
  readonly to: number
}

/** All that was measured so far, for who profiles meanwhile. */
export const spans: Span[] = []

/** What something returns that gives a value of these rows. */
export async function during<T>(rows: string | readonly string[], body: () => Promise<T>): Promise<T> {
  const from = monotonic()
  const result = await body()
  spans.push({ rows: [rows].flat(), from, to: monotonic() })
  return result
}

/** How many milliseconds something takes, which is a value of these rows. */
export async function timed(rows: string | readonly string[], body: () => Promise<unknown>): Promise<number> {
  await during(rows, body)
  const { from, to } = spans.at(-1)!
  return (to - from) * 1000
}

function monotonic(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds + nanoseconds / 1e9
}
