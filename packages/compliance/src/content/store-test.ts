import type { ContentStore } from '@nsbox/core/content'
import { type TestFunction, test } from 'vitest'

/** Makes a store that holds nothing, and takes it away again when it is disposed of. */
export type CreateContentStore = () => Promise<{ readonly store: ContentStore } & AsyncDisposable>

/** Declares a test on a store of its own. */
export type StoreTest = (name: string, body: (store: ContentStore) => Promise<void>) => void

/** @param claimed whether the store promises what is tested; if not, the tests are listed as skipped */
export function storeTest(create: CreateContentStore, claimed = true): StoreTest {
  return (name, body) => {
    const run: TestFunction = async () => {
      await using subject = await create()
      await body(subject.store)
    }
    if (claimed) test(name, run)
    else test.skip(`${name} (not claimed)`, run)
  }
}
