export { mount, mountAll } from './mount.ts'
export type { MountAttributes } from './mount-attributes.ts'
export type { MountInfo, MountPropagation } from './mount-info.ts'
export {
  type FileSystemOption,
  type ParsedMountOptions,
  type PropagationKind,
  parseMountOptions,
} from './mount-options.ts'
export type { PlaceOptions, UnmountOptions } from './mount-platform.ts'
export { type MountReachOptions, mountReach, type ReachedPath } from './mount-reach.ts'
export type { Mount } from './mount-record.ts'
export { isMountPoint, listMounts, type MountFilter, mountOf, readMounts } from './mount-table.ts'
export { type OverlayLayers, overlayLayers, overlayMount } from './overlay.ts'
export { makePassable } from './passable-directory.ts'
export { isAtOrBelow } from './path-prefix.ts'
export { isUncovered, PlaceFinder, type Places, resolvedForMaking } from './place-finder.ts'
export { readTreeMount, type TreeMount, type WrittenTree, writtenTree } from './tree-mount.ts'
export { unmount } from './unmount.ts'
export { withTempMount } from './with-temp-mount.ts'
