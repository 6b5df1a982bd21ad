/** Milliseconds since 1970 that never go back, even if the system's clock does. */
export type Clock = () => number

/** @param now the system's clock */
export function monotonicClock(now: () => number = Date.now): Clock {
  let last = 0
  return () => {
    last = Math.max(last, now())
    return last
  }
}
