/** What to mount, in the form of `containerd.types.Mount`. */
export interface Mount {
  /** The type of the file system, such as `overlay` or `tmpfs`; `bind` for a bind mount. */
  readonly type: string
  /** A directory, file or device, or a mere name where the file system has no source. */
  readonly source: string
  /**
   * Where to mount below the directory that the call names; it must exist there. It is resolved as if that
   * directory were the root, so that no symbolic link leads out of it.
   */
  readonly target?: string
  /**
   * One option each, such as `ro`, `rbind` or `size=10m`; see `parseMountOptions`. An option is never split:
   * a comma in one belongs to its value.
   */
  readonly options: readonly string[]
}
