/** What to mount, with the fields of `containerd.types.Mount`. Any process of the host can mount it. */
export interface Mount {
  /** The type of the file system, such as `overlay`; `bind` for a bind mount. */
  readonly type: string
  /** A directory or device, or a mere name where the file system has no source. */
  readonly source: string
  /** Where to mount below the directory that the caller chooses. */
  readonly target?: string
  /** One option each, such as `ro` or `upperdir=/a/b`; an option is never split. */
  readonly options: readonly string[]
}
