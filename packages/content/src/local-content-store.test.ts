import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contentStoreSuite } from '@nsbox/core/content/testsuite'
import { openContentStore } from './open-content-store.ts'

for (const durability of ['full', 'relaxed'] as const) {
  contentStoreSuite(`local, durability ${durability}`, async () => {
    const root = await mkdtemp(join(tmpdir(), 'nsbox-content-'))
    const store = await openContentStore({ root, durability })
    return {
      store,
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]()
        await rm(root, { recursive: true })
      },
    }
  })
}
