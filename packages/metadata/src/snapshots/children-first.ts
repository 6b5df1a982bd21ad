/**
 * Puts snapshots into an order in which they can be removed, in time linear in their number, however they are based on
 * each other.
 *
 * @param parents what each of them is based on, which need not be one of them
 */
export function childrenFirst(parents: ReadonlyMap<string, string | undefined>): string[] {
  const parentsFirst = new Set<string>()
  for (const key of parents.keys()) {
    const path: string[] = []
    for (
      let next: string | undefined = key;
      next !== undefined && parents.has(next) && !parentsFirst.has(next);
      next = parents.get(next)
    )
      path.push(next)
    for (const each of path.reverse()) parentsFirst.add(each)
  }
  return [...parentsFirst].reverse()
}
