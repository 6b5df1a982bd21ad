const limit = 256

/**
 * Foreign text for an error message: in quotes, control characters escaped, at most 256 characters of it, so that it
 * cannot forge log lines. Of a value that is not text, the type is shown.
 */
export function quoted(text: unknown): string {
  if (typeof text !== 'string') return text === null ? 'null' : typeof text
  return JSON.stringify(text.length > limit ? `${text.slice(0, limit)}…` : text)
}

/** The name of something in an error message: as it is if it is plain and short, as clients know it; else `quoted`. */
export function shownName(name: string): string {
  return /^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/.test(name) ? name : quoted(name)
}
