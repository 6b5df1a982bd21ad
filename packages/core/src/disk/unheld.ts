import { type ObjectName, objectKey, objectsByKey, parentOf, type StoredObject } from './stored-object.ts'

/**
 * The objects that nothing keeps: those that the next collection removes.
 *
 * @param objects all objects of a namespace
 * @param without objects that are taken for removed, and are not returned
 */
export function unheld(
  objects: Iterable<StoredObject>,
  { without = [] }: { readonly without?: Iterable<ObjectName> | undefined } = {},
): StoredObject[] {
  const all = objectsByKey(objects)
  for (const name of without) all.delete(objectKey(name))
  const left = new Map(all)
  /** Those whose references have been followed. */
  const followed = new Set<string>()
  const waiting: { readonly key: string; readonly follow: boolean }[] = []
  for (const [key, { isRoot }] of all) if (isRoot) waiting.push({ key, follow: true })

  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { key, follow } = next
    const object = all.get(key)
    if (object === undefined || followed.has(key)) continue
    const wasLeft = left.delete(key)
    if (follow) followed.add(key)
    else if (!wasLeft) continue
    const parent = parentOf(object)
    if (parent !== undefined) waiting.push({ key: objectKey(parent), follow })
    // What a flat object refers to is kept, but not what that refers to.
    if (follow)
      for (const to of object.references) waiting.push({ key: objectKey(to), follow: !object.isFlat })
  }
  return [...left.values()].filter(({ isMissing }) => !isMissing)
}
