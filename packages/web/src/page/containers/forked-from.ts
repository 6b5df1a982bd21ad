/** The label that names the container that one was forked from (docs/behaviour.md §4). */
export const forkedFromLabel = 'nsbox/forked-from'

/** What a tree is made of. */
interface Fork {
  readonly namespace: string
  readonly id: string
  /** The id of another of its namespace, which need not be there any more. */
  readonly forkedFrom: string | undefined
}

/** One of a tree, at its depth, from 0. */
export interface Placed<T> {
  readonly item: T
  readonly depth: number
}

/**
 * Puts forks below what they were forked from, and otherwise by namespace and id. One whose origin is gone is at the
 * top, and so is one of a circle, which labels could make.
 */
export function forkTree<T extends Fork>(items: readonly T[]): Placed<T>[] {
  const key = (namespace: string, id: string) => `${namespace}\0${id}`
  const sorted = [...items].sort((a, b) => compare(a.namespace, b.namespace) || compare(a.id, b.id))
  const byKey = new Map(sorted.map((item) => [key(item.namespace, item.id), item]))
  const forks = new Map<T, T[]>()
  const roots: T[] = []
  for (const item of sorted) {
    const origin = item.forkedFrom === undefined ? undefined : byKey.get(key(item.namespace, item.forkedFrom))
    if (origin === undefined) roots.push(item)
    else forks.set(origin, [...(forks.get(origin) ?? []), item])
  }
  const placed: Placed<T>[] = []
  const seen = new Set<T>()
  const placeFrom = (root: T) => {
    const waiting: Placed<T>[] = [{ item: root, depth: 0 }]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { item, depth } = next
      if (seen.has(item)) continue
      seen.add(item)
      placed.push(next)
      for (const fork of [...(forks.get(item) ?? [])].reverse())
        waiting.push({ item: fork, depth: depth + 1 })
    }
  }
  for (const root of roots) placeFrom(root)
  for (const item of sorted) if (!seen.has(item)) placeFrom(item)
  return placed
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
