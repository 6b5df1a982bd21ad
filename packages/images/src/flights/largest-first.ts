/** An order for concurrent work of different sizes in which the last to end is small. */
export function largestFirst<T>(items: readonly T[], size: (item: T) => number): T[] {
  return [...items].sort((a, b) => size(b) - size(a))
}
