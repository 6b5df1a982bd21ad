import type { AbortOptions } from '@nsbox/core/content'
import { objectKey, objectsByKey, type StoredObject, unheld } from '@nsbox/core/disk'
import type { Image } from '@nsbox/core/images'
import { isNotFound } from '@nsbox/errors'
import type { Pruned, PruneOptions } from './disk.ts'
import type { DiskView } from './disk-view.ts'
import { unusedImages } from './unused-images.ts'
import { objectsOf, objectsOfAll } from './usage-of.ts'

/** Removes the images that no container is of, and what nothing keeps then. */
export async function prune(client: DiskView, options: PruneOptions): Promise<Pruned> {
  const { dryRun = false, filters = [], signal } = options
  const unused = await unusedImages(client, filters, { signal })
  const namespaces = await objectsOfAll(client, { sizes: true, signal })
  const others = [...namespaces].flatMap(([name, objects]) => (name === client.namespace ? [] : objects))
  const objects = objectsByKey(namespaces.get(client.namespace) ?? [])

  const removed = dryRun ? unused : await remove(client, unused, { signal })
  const images = removed.map(({ name }) => name)
  for (const id of images) objects.delete(objectKey({ kind: 'image', id }))
  const collected = dryRun ? unheld(objects.values()) : await collect(client, objects, { signal })
  const gone = new Set(collected)
  const kept = [...objects.values()].filter((object) => !gone.has(object))
  return { images, collected, freed: bytesOnlyOf(collected, [...kept, ...others]) }
}

/** @returns those that were there to be removed: an image that has changed meanwhile is another */
async function remove(
  client: DiskView,
  images: readonly Image[],
  { signal }: AbortOptions,
): Promise<Image[]> {
  const removed: Image[] = []
  for (const image of images) {
    try {
      await client.images.delete(image.name, { target: image.target, signal })
      removed.push(image)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
  return removed
}

/** @returns those of the objects that are gone after a collection */
async function collect(
  client: DiskView,
  objects: ReadonlyMap<string, StoredObject>,
  options: AbortOptions,
): Promise<StoredObject[]> {
  await client.disk.collect(options)
  const left = objectsByKey(await objectsOf(client, options))
  return [...objects].filter(([key]) => !left.has(key)).map(([, object]) => object)
}

/** The bytes of objects that none of the others have. */
function bytesOnlyOf(objects: readonly StoredObject[], others: readonly StoredObject[]): number {
  const kept = new Set(others.map(({ storage }) => storage))
  const freed = new Map(objects.map(({ storage, size = 0 }) => [storage, size]))
  return [...freed].reduce((sum, [storage, size]) => (kept.has(storage) ? sum : sum + size), 0)
}
