/** A text in quotes with its control characters escaped, as it stands in error messages. */
export function quoted(text: string): string {
  return JSON.stringify(text)
}

/** A ref in an error message: as it is if it is plain and short, as clients know it; else quoted and cut. */
export function shownRef(ref: string): string {
  if (/^[\x21-\x7e]{1,256}$/.test(ref)) return ref
  return quoted(ref.length > 256 ? `${ref.slice(0, 256)}…` : ref)
}
