import type { Mount, Snapshotter } from '@nsbox/core/snapshots'
import { type TestFunction, test } from 'vitest'

/** Mounts at a directory of its own, and unmounts when `use` is done, which is given the directory. */
export type WithMounts = <T>(mounts: readonly Mount[], use: (path: string) => Promise<T>) => Promise<T>

export interface SnapshotterSubject extends AsyncDisposable {
  readonly snapshotter: Snapshotter
  readonly withMounts: WithMounts
}

/** Makes a snapshotter that has no snapshots, and takes it away again when it is disposed of. */
export type CreateSnapshotter = () => Promise<SnapshotterSubject>

/** Declares a test on a snapshotter of its own. */
export type SnapshotterTest = (
  name: string,
  body: (snapshotter: Snapshotter, withMounts: WithMounts) => Promise<void>,
) => void

/** @param claimed whether the snapshotter promises what is tested; if not, the tests are listed as skipped */
export function snapshotterTest(create: CreateSnapshotter, claimed = true): SnapshotterTest {
  return (name, body) => {
    const run: TestFunction = async () => {
      await using subject = await create()
      await body(subject.snapshotter, subject.withMounts)
    }
    if (claimed) test(name, run)
    else test.skip(`${name} (not claimed)`, run)
  }
}
