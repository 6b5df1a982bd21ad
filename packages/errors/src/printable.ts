/** Control characters, characters that change the direction of text, and line ends. */
const controls = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu
const layout = /^[\n\t]$/

/**
 * Makes text safe to show on a terminal. Names, labels, platforms and messages come from images, registries and other
 * clients. Characters in them that would move the cursor, change the title or forge a line are escaped as in JSON
 * (docs/threat-model.md E13).
 */
export function printable(text: string): string {
  return text.replace(controls, escaped)
}

/** As `printable`, but keeps line ends. */
export function printableLines(text: string): string {
  return text.replace(controls, (character) => (layout.test(character) ? character : escaped(character)))
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
