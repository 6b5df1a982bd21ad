/** A text in quotes with its control characters escaped, as it stands in error messages. */
export function quoted(text: string): string {
  return JSON.stringify(text)
}
