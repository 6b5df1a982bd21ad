import type { Mount, Snapshotter } from '@nsbox/core/snapshots'

/** Mounts at a directory of its own, and unmounts when `use` is done, which is given the directory. */
export type WithMounts = <T>(mounts: readonly Mount[], use: (path: string) => Promise<T>) => Promise<T>

export interface SnapshotterSubject extends AsyncDisposable {
  readonly snapshotter: Snapshotter
  readonly withMounts: WithMounts
}

/** Makes a snapshotter that has no snapshots, and takes it away again when it is disposed of. */
export type CreateSnapshotter = () => Promise<SnapshotterSubject>
