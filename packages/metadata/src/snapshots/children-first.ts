/**
 * Orders snapshots so that they can be removed, in time linear in their number for any relations between them.
 *
 * @param parents the parent of each, which need not be among them
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
