export type { AbortOptions } from '@nsbox/concurrency'
export type { Durability } from '../durability.ts'
export { type ForeignSnapshots, isForeign } from './foreign-snapshotter.ts'
export {
  type CommitLayerOptions,
  hasLayerDirectories,
  type LayerDirectories,
  type LayerDirectory,
} from './layer-directories.ts'
export type { Mount } from './mount.ts'
export type { SnapshotInfo, SnapshotKind, SnapshotUsage } from './snapshot-info.ts'
export type {
  CommitOptions,
  PrepareOptions,
  SnapshotMaker,
  SnapshotManager,
  SnapshotMounter,
  SnapshotReader,
  Snapshotter,
} from './snapshotter.ts'
