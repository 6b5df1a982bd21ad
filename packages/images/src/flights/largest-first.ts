/** The order in which concurrent work of different sizes is done soonest: what begins, and so ends, last is small. */
export function largestFirst<T>(items: readonly T[], size: (item: T) => number): T[] {
  return [...items].sort((a, b) => size(b) - size(a))
}
