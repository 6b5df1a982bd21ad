import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import { type Metadata, type NamespaceView, openMetadata } from '@nsbox/metadata'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'

/** Stores for one test, with a lease that holds everything stored. */
export interface TestStores extends AsyncDisposable {
  readonly metadata: Metadata
  readonly view: NamespaceView
  /** A directory for the test's files. */
  readonly path: string
  /** Deletes the lease and collects, so that only content of images is left. */
  collect(): Promise<void>
}

export async function openStores(): Promise<TestStores> {
  await using opening = new AsyncDisposableStack()
  const { path } = opening.use(await tempDir('nsbox-images'))
  const content = opening.use(await openContentStore({ root: join(path, 'data'), durability: 'relaxed' }))
  const metadata = opening.use(
    await openMetadata({ path: join(path, 'metadata.db'), content, durability: 'relaxed' }),
  )
  const { leases } = metadata.namespace('test')
  const { id } = await leases.create()
  const resources = opening.move()
  return {
    metadata,
    view: metadata.namespace('test', { lease: id }),
    path,
    collect: () => leases.delete(id, { sync: true }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
