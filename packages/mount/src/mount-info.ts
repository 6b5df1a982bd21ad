/** The propagation of a mount, as in the mount table. */
export interface MountPropagation {
  /** The group of mounts that it shares with. */
  readonly shared?: number
  /** The group that it receives from. */
  readonly master?: number
  /** The nearest group that it receives from and that is visible here. */
  readonly propagateFrom?: number
  readonly unbindable: boolean
}

/** A line of the mount table. */
export interface MountInfo {
  readonly id: number
  /** The mount that this one is on; the id of a mount that is not visible here for the root of the table. */
  readonly parentId: number
  /** The device number of its files, as `major:minor`. */
  readonly device: string
  /** The part of the file system that is mounted; `/` for all of it. */
  readonly root: string
  /** Its place, as seen from this process's root. A byte that is not UTF-8 is U+FFFD here. */
  readonly mountPoint: string
  /** The place in bytes, present only if they are not UTF-8. */
  readonly mountPointBytes?: Uint8Array
  /** The mount's own options, such as `ro` and `nosuid`. */
  readonly options: readonly string[]
  readonly propagation: MountPropagation
  /** The type of the file system. */
  readonly type: string
  readonly source: string
  /** The file system's options. One whose value has a comma that the file system does not escape stands as several. */
  readonly superOptions: readonly string[]
}
