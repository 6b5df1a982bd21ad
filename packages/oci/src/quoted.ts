const limit = 160

/** Foreign text for an error message: control characters escaped, length bounded, so that it cannot forge log lines. */
export function quoted(text: unknown): string {
  if (typeof text !== 'string') return text === null ? 'null' : typeof text
  return JSON.stringify(text.length > limit ? `${text.slice(0, limit)}…` : text)
}
