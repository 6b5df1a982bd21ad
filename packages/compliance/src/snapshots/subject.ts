import type { Mount, Snapshotter } from '@nsbox/core/snapshots'

/** Mounts at a new directory, passes that to `use`, and unmounts afterwards. */
export type WithMounts = <T>(mounts: readonly Mount[], use: (path: string) => Promise<T>) => Promise<T>

export interface SnapshotterSubject extends AsyncDisposable {
  readonly snapshotter: Snapshotter
  readonly withMounts: WithMounts
}

/** Makes a snapshotter without snapshots; disposing of the subject removes it. */
export type CreateSnapshotter = () => Promise<SnapshotterSubject>
