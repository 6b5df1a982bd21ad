/** What would change how the text around it is read: controls, and what turns the direction of text. */
const disruptive = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** Text from anywhere, of a bounded length and on one line. */
export function shortened(text: string, length = 120): string {
  // Cut first: the rest need not be looked at.
  const short = text.length <= length ? text : `${text.slice(0, length - 1)}…`
  return short.replace(disruptive, '\u{fffd}').replace(/\p{Surrogate}/gu, '\u{fffd}')
}
