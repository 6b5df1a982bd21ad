/** A change of what `mount_setattr` governs; flags are of `MOUNT_ATTR`. */
export interface MountAttributes {
  readonly set?: number
  /**
   * Flags to clear first. To change how access times are kept, clear `MOUNT_ATTR.ATIME` and set one of them.
   */
  readonly clear?: number
  /** One of `MS.SHARED`, `MS.SLAVE`, `MS.PRIVATE`, `MS.UNBINDABLE`. */
  readonly propagation?: number
  /** Whether it is done to all mounts of the tree; false by default. */
  readonly recursive?: boolean
}

/**
 * The system calls that make and end mounts. Descriptors they return are closed on exec and belong to the
 * caller; an error has its name in the detail `errno`.
 */
export interface MountCalls {
  /** mount(2). Flags are of `MS`; null is the null pointer. */
  mount(source: string | null, target: string, type: string | null, flags: number, data: string | null): void

  /**
   * umount2(2), in a thread: unless flags say otherwise it writes back what the file system holds. Flags are
   * of `UMOUNT`.
   *
   * @param target as bytes, which needs no NUL at the end, where a path is no UTF-8
   */
  umount2(target: string | Uint8Array, flags: number): Promise<void>

  /**
   * fsopen(2), Linux 5.2. @returns a descriptor of a file system context, from which its messages can be read
   */
  fsopen(type: string): number

  /** fsconfig(2), `FSCONFIG_SET_FLAG`. */
  fsconfigFlag(context: number, key: string): void

  /** fsconfig(2), `FSCONFIG_SET_STRING`. The value has at most 255 bytes. */
  fsconfigString(context: number, key: string, value: string): void

  /** fsconfig(2), `FSCONFIG_CMD_CREATE`. */
  fsconfigCreate(context: number): void

  /** fsmount(2). Attributes are of `MOUNT_ATTR`. @returns a descriptor of a mount that is attached nowhere */
  fsmount(context: number, attributes: number): number

  /**
   * open_tree(2) with `OPEN_TREE_CLONE`, Linux 5.2: what a bind mount is made of.
   *
   * @param recursive whether the mounts below come along
   * @returns a descriptor of a mount that is attached nowhere
   */
  openTreeClone(path: string, recursive: boolean): number

  /**
   * move_mount(2). Attaches a mount at an open file or directory, of which a descriptor with `O_PATH` is
   * enough.
   */
  moveMount(mount: number, target: number): void

  /** mount_setattr(2), Linux 5.12. */
  mountSetattr(mount: number, attributes: MountAttributes): void

  /**
   * openat2(2), Linux 5.6.
   *
   * @param directory a descriptor, or `AT_FDCWD`
   * @param path as bytes, which needs no NUL at the end, where it is no UTF-8
   * @param flags of `fs.constants`, and `O_PATH`
   * @param resolve of `RESOLVE`
   */
  openat2(directory: number, path: string | Uint8Array, flags: number, resolve: number): number
}
