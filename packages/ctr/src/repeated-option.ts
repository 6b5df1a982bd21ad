/** For options that may be given again: all their values, in order. */
export function repeated(text: string, previous: readonly string[] = []): string[] {
  return [...previous, text]
}
