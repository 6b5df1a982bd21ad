/** RFC 3339, section 5.6. */
const pattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

/**
 * The system's clock, in milliseconds since 1970. It may be set back: what must not go back, such as the time of an
 * update, is held against what was there before; expiry is about the true time, so it goes by this clock as it is.
 */
export type Clock = () => number

/** The time of an RFC 3339 text in milliseconds since 1970, or undefined if it is none. */
export function parseRfc3339(text: string): number | undefined {
  const time = pattern.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}
