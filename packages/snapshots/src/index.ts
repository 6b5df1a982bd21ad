export {
  type AbortOptions,
  type CommitLayerOptions,
  type CommitOptions,
  type Durability,
  hasLayerDirectories,
  type LayerDirectories,
  type LayerDirectory,
  type Mount,
  type PrepareOptions,
  type SnapshotInfo,
  type SnapshotKind,
  type SnapshotMaker,
  type SnapshotManager,
  type SnapshotMounter,
  type SnapshotReader,
  type Snapshotter,
  type SnapshotUsage,
} from '@nsbox/core/snapshots'
export type { LocalSnapshotter } from './local-snapshotter.ts'
export type { OpenSnapshotterOptions } from './open-local-snapshotter.ts'
export { openNativeSnapshotter } from './open-native-snapshotter.ts'
export { openOverlaySnapshotter } from './open-overlay-snapshotter.ts'
export { type ImpliedDirectories, resolveImpliedDirectories } from './overlay/implied-directories.ts'
export type { OverlaySnapshotter } from './overlay/overlay-snapshotter.ts'
