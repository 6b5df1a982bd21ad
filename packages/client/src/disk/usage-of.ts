import type { AbortOptions } from '@nsbox/core/content'
import { type DiskUsage, diskUsage, type ObjectsOptions, type StoredObject } from '@nsbox/core/disk'
import type { DiskView } from './disk-view.ts'

/** What the objects of all namespaces take. */
export async function usageOf(client: DiskView, { signal }: AbortOptions): Promise<DiskUsage> {
  return diskUsage(await objectsOfAll(client, { sizes: true, signal }))
}

/** All objects of each namespace, in the order of their names. */
export async function objectsOfAll(
  client: DiskView,
  options: ObjectsOptions,
): Promise<Map<string, StoredObject[]>> {
  const objects = new Map<string, StoredObject[]>()
  for (const { name } of await client.namespaces.list(options))
    objects.set(name, await objectsOf(client.withNamespace(name), options))
  return objects
}

/** All objects of the client's namespace. */
export async function objectsOf(client: DiskView, options: ObjectsOptions): Promise<StoredObject[]> {
  const objects: StoredObject[] = []
  for await (const object of client.disk.objects(options)) objects.push(object)
  return objects
}
