/**
 * The order in which things of different sizes that go on beside each other are done soonest: what is begun last, and
 * so ends last, is small.
 */
export function largestFirst<T>(items: readonly T[], size: (item: T) => number): T[] {
  return [...items].sort((a, b) => size(b) - size(a))
}
