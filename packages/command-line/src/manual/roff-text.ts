/** Text for a manual page, of which groff_man(7) and mandoc(1) take nothing for a request or an escape. */
export function roffText(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/[^\n -~]/gu, (character) => `\\[u${hexOf(character)}]`)
  // At the beginning of a line these begin a request.
  return escaped.replace(/^(?=[.'])/gm, '\\&')
}

/** One argument of a request. */
export function roffArgument(text: string): string {
  return `"${roffText(text).replaceAll('"', '\\(dq').replaceAll('\n', ' ')}"`
}

function hexOf(character: string): string {
  return character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
}
