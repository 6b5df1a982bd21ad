import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import { contentStoreSuite } from '@nsbox/core/content/testsuite'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { openMetadata } from './open-metadata.ts'

for (const policy of ['shared', 'isolated'] as const) {
  contentStoreSuite(`namespaced view, ${policy}`, async () => {
    await using stack = new AsyncDisposableStack()
    const { path } = stack.use(await tempDir('nsbox-metadata'))
    const content = stack.use(await openContentStore({ root: join(path, 'content'), durability: 'relaxed' }))
    const metadata = stack.use(
      await openMetadata({
        path: join(path, 'metadata.db'),
        content,
        policy,
        durability: 'relaxed',
        // Blobs of the suite are held by nothing.
        collector: { startupDelay: 3_600_000, scheduleDelay: 3_600_000 },
      }),
    )
    const owned = stack.move()
    return {
      store: metadata.namespace('suite').content,
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  })
}
