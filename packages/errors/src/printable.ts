/** What a terminal takes for commands, what changes the order of other characters, and ends of lines. */
const controls = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu
const layout = /^[\n\t]$/

/**
 * Text as it may be shown on a terminal. Names, labels, platforms and messages come from images, registries and other
 * clients; what in them would move the cursor, change the title or forge a line is shown as it is written in JSON
 * (docs/threat-model.md E13).
 */
export function printable(text: string): string {
  return text.replace(controls, escaped)
}

/** As `printable`, of text that is laid out in lines. */
export function printableLines(text: string): string {
  return text.replace(controls, (character) => (layout.test(character) ? character : escaped(character)))
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
