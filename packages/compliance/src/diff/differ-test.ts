import type { ContentStore } from '@nsbox/core/content'
import type { Applier, Comparer } from '@nsbox/core/diff'
import type { Mount, Snapshotter } from '@nsbox/core/snapshots'
import { type TestFunction, test } from 'vitest'

/** Mounts at a directory of its own, and unmounts when `use` is done, which is given the directory. */
export type WithMounts = <T>(mounts: readonly Mount[], use: (path: string) => Promise<T>) => Promise<T>

export interface DifferSubject extends AsyncDisposable {
  readonly applier: Applier
  readonly comparer: Comparer
  /** The store that both work with. */
  readonly content: ContentStore
  /** Makes the trees that are compared and applied to. */
  readonly snapshotter: Snapshotter
  readonly withMounts: WithMounts
}

/** Makes an applier and a comparer with a store and a snapshotter that are empty, and takes all of it away again. */
export type CreateDiffer = () => Promise<DifferSubject>

/** Declares a test on a subject of its own. */
export type DifferTest = (name: string, body: (subject: DifferSubject) => Promise<void>) => void

/** @param claimed whether what is tested is promised; if not, the tests are listed as skipped */
export function differTest(create: CreateDiffer, claimed = true): DifferTest {
  return (name, body) => {
    const run: TestFunction = async () => {
      await using subject = await create()
      await body(subject)
    }
    if (claimed) test(name, run)
    else test.skip(`${name} (not claimed)`, run)
  }
}
