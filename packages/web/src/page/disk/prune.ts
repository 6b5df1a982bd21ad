import type { Image } from '@nsbox/api/gen/services/images/v1/images_pb'
import { objectKey, objectsByKey, type StoredObject, unheld } from '@nsbox/core/disk'
import { containers, images, isNotFound, leases, within } from '../connection/calls.ts'
import { loadDisk } from './load-disk.ts'

/** What a prune would remove of a namespace. */
export interface PrunePlan {
  readonly namespace: string
  /** Images that no container is of. */
  readonly images: readonly Pick<Image, 'name' | 'target'>[]
  /** What only they keep, and what nothing keeps now. */
  readonly collected: readonly StoredObject[]
  /** Bytes that this frees: those that no other object has, in any namespace. */
  readonly freed: number
}

/** Finds out what a prune would remove, as `ctr prune --dry-run` does. */
export async function planPrune(namespace: string, signal: AbortSignal): Promise<PrunePlan> {
  const options = within(namespace, { signal })
  const [{ images: all }, { containers: using }] = await Promise.all([
    images.list({}, options),
    containers.list({}, options),
  ])
  const used = new Set(using.map(({ image }) => image))
  const unused = all.filter(({ name }) => !used.has(name))
  const stored = await loadDisk(signal)
  const objects = objectsByKey(stored.get(namespace) ?? [])
  for (const { name } of unused) objects.delete(objectKey({ kind: 'image', id: name }))
  const collected = unheld(objects.values())
  const gone = new Set(collected)
  const others = [...stored].flatMap(([name, found]) => (name === namespace ? [] : found))
  const kept = [...objects.values()].filter((object) => !gone.has(object))
  return { namespace, images: unused, collected, freed: bytesOnlyOf(collected, [...kept, ...others]) }
}

/** Removes the images of a plan, unless they have changed since, and waits until what nothing keeps is collected. */
export async function prune({ namespace, images: unused }: PrunePlan): Promise<void> {
  const options = within(namespace)
  const { containers: using } = await containers.list({}, options)
  const used = new Set(using.map(({ image }) => image))
  for (const { name, target } of unused) {
    if (used.has(name)) continue
    try {
      await images.delete({ name, ...(target && { target }) }, options)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
  // To delete a lease is the way to wait for a collection.
  const { lease } = await leases.create({}, options)
  await leases.delete({ id: lease!.id, sync: true }, options)
}

/** The bytes of objects that none of the others have. */
function bytesOnlyOf(objects: readonly StoredObject[], others: readonly StoredObject[]): number {
  const kept = new Set(others.map(({ storage }) => storage))
  const freed = new Map(objects.map(({ storage, size = 0 }) => [storage, size]))
  return [...freed].reduce((sum, [storage, size]) => (kept.has(storage) ? sum : sum + size), 0)
}
