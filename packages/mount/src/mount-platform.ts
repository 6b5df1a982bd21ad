import type { MountInfo } from './mount-info.ts'
import type { Mount } from './mount-record.ts'

/** How to find the place of a mount. */
export interface PlaceOptions {
  /**
   * Whether a symbolic link as the last component of the place is refused instead of followed; false by
   * default. Those before it are followed.
   */
  readonly noFollow?: boolean
  readonly signal?: AbortSignal | undefined
}

/** How to unmount. */
export interface UnmountOptions extends PlaceOptions {
  /** Whether what is mounted below goes first, and everything stacked at the place; false by default. */
  readonly recursive?: boolean
  /**
   * Whether a mount in use vanishes from the tree at once and ends when its last user does; false by default.
   * Its files live on until then, so nothing may be concluded about them.
   */
  readonly lazy?: boolean
  /** Whether a network file system whose server is away gives up; false by default. */
  readonly force?: boolean
  /** Milliseconds to try again while a mount is in use; 1000 by default. */
  readonly busyTimeout?: number
}

/** What a platform does about mounts. What it cannot do throws `unimplemented`. */
export interface MountPlatform {
  /** @returns where the mount is: the place without symbolic links */
  mount(mount: Mount, target: string, options: PlaceOptions): Promise<string>
  unmount(target: string, options: UnmountOptions): Promise<void>
  mountTable(signal: AbortSignal | undefined): AsyncIterable<MountInfo>
  /** The id of the mount that a path is on, symbolic links followed. */
  mountIdOf(path: string): Promise<number>
  /**
   * Where a path leads, by links of every kind: to a path without any, which is undefined if what is there is in no place
   * that this process sees, and on the mount with this id.
   */
  whereIs(path: string): Promise<{ readonly path: string | undefined; readonly mountId: number }>
}
