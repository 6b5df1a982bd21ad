import { join } from 'node:path'
import { containerStoreSuite } from '@nsbox/compliance/containers'
import { contentStoreSuite } from '@nsbox/compliance/content'
import { imageStoreSuite } from '@nsbox/compliance/images'
import { leaseStoreSuite } from '@nsbox/compliance/leases'
import { namespaceStoreSuite } from '@nsbox/compliance/namespaces'
import { openContentStore } from '@nsbox/content'
import { digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { type Metadata, type MetadataOptions, openMetadata } from './open-metadata.ts'

async function newMetadata(
  options: Partial<MetadataOptions> = {},
): Promise<{ metadata: Metadata } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await tempDir('nsbox-metadata'))
  const content = stack.use(await openContentStore({ root: join(path, 'content'), durability: 'relaxed' }))
  const metadata = stack.use(
    await openMetadata({ path: join(path, 'metadata.db'), content, durability: 'relaxed', ...options }),
  )
  const owned = stack.move()
  return { metadata, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

for (const policy of ['shared', 'isolated'] as const) {
  const create = async () => {
    // Nothing holds the blobs of the suite.
    const never = { startupDelay: 3_600_000, scheduleDelay: 3_600_000 }
    const { metadata, ...owned } = await newMetadata({ policy, collector: never })
    return { ...owned, store: metadata.namespace('suite').content }
  }
  contentStoreSuite(`namespaced view, ${policy}`, create, { localPaths: true })
}

imageStoreSuite('namespaced view', async () => {
  const { metadata, ...owned } = await newMetadata()
  return { ...owned, store: metadata.namespace('suite').images }
})

containerStoreSuite('namespaced view', async () => {
  const { metadata, ...owned } = await newMetadata()
  return { ...owned, store: metadata.namespace('suite').containers }
})

leaseStoreSuite('namespaced view', async () => {
  const { metadata, ...owned } = await newMetadata()
  return { ...owned, store: metadata.namespace('suite').leases }
})

namespaceStoreSuite('database', async () => {
  const { metadata, ...owned } = await newMetadata()
  const target = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf('x'), size: 1 }
  return {
    ...owned,
    store: metadata.namespaces,
    fill: async (name) => void (await metadata.namespace(name).images.create({ name: 'x', target })),
    empty: (name) => metadata.namespace(name).images.delete('x'),
  }
})
