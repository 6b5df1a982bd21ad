import type { AbortOptions } from '@nsbox/core/content'
import { objectsByKey, why } from '@nsbox/core/disk'
import type { Explanations } from './disk.ts'
import type { DiskView } from './disk-view.ts'
import { objectsOfAll } from './usage-of.ts'

/** What keeps the objects with a key. */
export async function explain(client: DiskView, id: string, { signal }: AbortOptions): Promise<Explanations> {
  const namespaces = await objectsOfAll(client, { signal })
  const objects = namespaces.get(client.namespace) ?? []
  const found = [...objectsByKey(objects).values()]
    .filter((object) => object.id === id && !object.isMissing)
    .map((object) => ({ object, chains: why(objects, object) ?? [] }))
  const elsewhere = [...namespaces]
    .filter(
      ([name, others]) =>
        name !== client.namespace && others.some((object) => object.id === id && !object.isMissing),
    )
    .map(([name]) => name)
  return { found, elsewhere }
}
