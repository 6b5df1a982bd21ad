import type { MountInfo } from './mount-info.ts'
import type { Mount } from './mount-record.ts'

/** How to find the place of a mount. */
export interface PlaceOptions {
  /** Whether a symbolic link as the last component is refused; false by default. Those before it are followed. */
  readonly noFollow?: boolean
  readonly signal?: AbortSignal | undefined
}

/** How to unmount. */
export interface UnmountOptions extends PlaceOptions {
  /** Whether to unmount all mounts at the place, and first those below; false by default. */
  readonly recursive?: boolean
  /**
   * Whether a mount in use is detached at once and ends with its last user; false by default. Its files may still be in
   * use after the call.
   */
  readonly lazy?: boolean
  /** Whether a network file system whose server is away gives up; false by default. */
  readonly force?: boolean
  /** Milliseconds to try again while a mount is in use; 1000 by default. */
  readonly busyTimeout?: number
}

/** The location of a path. */
export interface WhereIs {
  /** Without links; undefined if this process cannot see it at any path. */
  readonly path: string | undefined
  /** The id of the mount that it is on. */
  readonly mountId: number
  readonly kind: 'directory' | 'file' | 'other'
}

/** The operations on mounts of a platform. Those that it lacks throw `unimplemented`. */
export interface MountPlatform {
  /** @returns where the mount is: the place without symbolic links */
  mount(mount: Mount, target: string, options: PlaceOptions): Promise<string>
  unmount(target: string, options: UnmountOptions): Promise<void>
  mountTable(signal: AbortSignal | undefined): AsyncIterable<MountInfo>
  /** The id of the mount that a path is on, symbolic links followed. */
  mountIdOf(path: string): Promise<number>
  /** Where a path leads, by links of every kind. */
  whereIs(path: string): Promise<WhereIs>
  /** Whether a path is on the mount that its parent directory is on. On this thread, for local directories. */
  isUncovered(path: string): boolean
}
