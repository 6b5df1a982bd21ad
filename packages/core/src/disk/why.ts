import { type ObjectName, objectKey, objectsByKey, parentOf, type StoredObject } from './stored-object.ts'

/** What keeps an object: a chain of references from a root down to it, both included. */
export type Chain = readonly StoredObject[]

/** An object, and the next on its shortest way down. */
interface Step {
  readonly object: StoredObject
  readonly down?: Step | undefined
  /** Objects from here down. */
  readonly length: number
}

/**
 * The shortest chain of references from each root that keeps an object, shorter ones first. No chain means that nothing
 * keeps it: the next collection removes it.
 *
 * @param objects all objects of its namespace
 * @returns undefined if it is not among them
 */
export function why(objects: Iterable<StoredObject>, name: ObjectName): Chain[] | undefined {
  const byKey = objectsByKey(objects)
  const target = byKey.get(objectKey(name))
  if (target === undefined || target.isMissing) return undefined

  const children = new Map<string, StoredObject[]>()
  const holders = new Map<string, StoredObject[]>()
  for (const object of byKey.values()) {
    const parent = parentOf(object)
    if (parent !== undefined) add(children, objectKey(parent), object)
    if (!object.isFlat) for (const to of object.references) add(holders, objectKey(to), object)
  }
  const based = (key: string) => children.get(key) ?? []
  const steps = [
    ...stepsTo(target, (key) => [...based(key), ...(holders.get(key) ?? [])]).values(),
    // Whatever a flat object refers to keeps nothing but the parents of a snapshot.
    ...flatSteps(byKey.values(), stepsTo(target, based)),
  ]
  return steps
    .filter(({ object }) => object.isRoot)
    .sort((a, b) => a.length - b.length)
    .map(chainOf)
}

/** The shortest way from each object that leads to the target. */
function stepsTo(target: StoredObject, above: (key: string) => readonly StoredObject[]): Map<string, Step> {
  const steps = new Map<string, Step>([[objectKey(target), { object: target, length: 1 }]])
  // A map tells of what is added while it is gone through.
  for (const [key, down] of steps) {
    for (const object of above(key)) {
      const from = objectKey(object)
      if (!steps.has(from)) steps.set(from, { object, down, length: down.length + 1 })
    }
  }
  return steps
}

function* flatSteps(objects: Iterable<StoredObject>, based: ReadonlyMap<string, Step>): Generator<Step> {
  for (const object of objects) {
    if (!object.isFlat) continue
    const ways = object.references.flatMap((to) => based.get(objectKey(to)) ?? [])
    const down = ways.sort((a, b) => a.length - b.length)[0]
    if (down !== undefined) yield { object, down, length: down.length + 1 }
  }
}

function chainOf(step: Step): Chain {
  const chain: StoredObject[] = []
  for (let at: Step | undefined = step; at !== undefined; at = at.down) chain.push(at.object)
  return chain
}

function add<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}
