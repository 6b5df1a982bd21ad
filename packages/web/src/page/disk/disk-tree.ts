import { objectKey, objectsByKey, type StoredObject, unheld } from '@nsbox/core/disk'
import type { StoredObjects } from './load-disk.ts'

/** What holds bytes: an image or a container alone, several of them, something else, or nothing. */
export type HolderKind = 'image' | 'container' | 'shared' | 'other' | 'unused'

/** What of a namespace holds bytes that nothing else of it holds. */
export interface Holder {
  readonly kind: HolderKind
  /** Of an image or a container. */
  readonly name: string
  readonly content: number
  readonly snapshots: number
  readonly size: number
}

/** A namespace with its holders, the largest first. Their sizes add up to its own. */
export interface NamespaceTree {
  readonly name: string
  readonly size: number
  readonly holders: readonly Holder[]
}

/** Who holds what in each namespace: every byte has one holder. */
export function diskTree(stored: StoredObjects): NamespaceTree[] {
  return [...stored]
    .map(([name, objects]) => {
      const holders = holdersOf(objects)
      return { name, size: holders.reduce((sum, { size }) => sum + size, 0), holders }
    })
    .sort((a, b) => b.size - a.size)
}

type Mutable = { -readonly [Key in keyof Holder]: Holder[Key] }

function holdersOf(objects: readonly StoredObject[]): Holder[] {
  const byKey = objectsByKey(objects)
  const roots = new Map<string, Set<StoredObject>>()
  for (const object of byKey.values()) {
    if (object.kind !== 'image' && object.kind !== 'container') continue
    for (const reached of reachable(object, byKey)) {
      if (reached.storage === undefined) continue
      const holding = roots.get(reached.storage)
      if (holding === undefined) roots.set(reached.storage, new Set([object]))
      else holding.add(object)
    }
  }
  const unused = new Set(unheld(objects).map((object) => object.storage))
  const holders = new Map<string, Mutable>()
  const counted = new Set<string>()
  for (const object of byKey.values()) {
    const { storage, size = 0, kind } = object
    if (storage === undefined || counted.has(storage)) continue
    counted.add(storage)
    const [holderKind, name] = holderOf(roots.get(storage), unused.has(storage))
    const key = `${holderKind}\0${name}`
    const holder = holders.get(key) ?? { kind: holderKind, name, content: 0, snapshots: 0, size: 0 }
    holder.size += size
    if (kind === 'snapshot') holder.snapshots += size
    else holder.content += size
    holders.set(key, holder)
  }
  return [...holders.values()].filter(({ size }) => size > 0).sort((a, b) => b.size - a.size)
}

/** A container holds the snapshots of its image as well; they are the image's. */
function holderOf(holding: ReadonlySet<StoredObject> | undefined, isUnused: boolean): [HolderKind, string] {
  const all = [...(holding ?? [])]
  const images = all.filter(({ kind }) => kind === 'image')
  const [first] = images.length > 0 ? images : all
  if (images.length > 1 || (images.length === 0 && all.length > 1)) return ['shared', '']
  if (first !== undefined) return [first.kind === 'image' ? 'image' : 'container', first.id]
  return [isUnused ? 'unused' : 'other', '']
}

function reachable(from: StoredObject, byKey: ReadonlyMap<string, StoredObject>): Set<StoredObject> {
  const found = new Set([from])
  // A set tells of what is added while it is gone through.
  for (const object of found) {
    const { kind, snapshotter, parent } = object
    const above = parent === undefined ? [] : [{ kind, id: parent, snapshotter }]
    for (const name of [...object.references, ...above]) {
      const next = byKey.get(objectKey(name))
      if (next !== undefined) found.add(next)
    }
  }
  return found
}
