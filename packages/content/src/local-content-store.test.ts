import { contentStoreSuite } from '@nsbox/compliance/content'
import { tempDir } from '@nsbox/testing'
import { openContentStore } from './open-content-store.ts'

for (const durability of ['full', 'relaxed'] as const) {
  const create = async () => {
    const dir = await tempDir('nsbox-content')
    const store = await openContentStore({ root: dir.path, durability })
    return {
      store,
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]()
        await dir[Symbol.asyncDispose]()
      },
    }
  }
  contentStoreSuite(`local, durability ${durability}`, create, { localPaths: true })
}
