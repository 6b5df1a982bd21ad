/** Most characters of a log that the page keeps. */
export const mostKept = 256 * 1024

// biome-ignore lint/complexity/useRegexLiterals: a literal must not have the control characters in it
const escapes = new RegExp('\\u001b(?:\\[[0-?]*[ -/]*[@-~]|[@-Z\\\\-_])', 'g')

/** Controls that are not white space. */
const controls = /(?![\n\t])\p{Cc}/gu

/** Adds to a log, whose beginning leaves in whole lines when it grows too long. Escape sequences are left out. */
export function keptText(before: string, added: string): string {
  const text =
    before +
    added.slice(-mostKept).replace(escapes, '').replaceAll('\r\n', '\n').replace(controls, '\u{fffd}')
  if (text.length <= mostKept) return text
  const from = text.length - mostKept
  const line = text.indexOf('\n', from)
  return text.slice(line === -1 ? from : line + 1)
}
