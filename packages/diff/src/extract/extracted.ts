import type { ByteString } from '../tar/byte-string.ts'

/** The result of an extraction. */
export interface Extracted {
  /** Entries of the archive, whiteouts included. */
  readonly entries: number
  /**
   * Directories that exist only because names of entries imply them, parents first, one character per byte. They have
   * mode 0755 and belong to root; if a lower layer has them, its attributes apply. The empty path is the root, if the
   * directory was empty and no entry describes it; its attributes are unchanged then.
   */
  readonly implied: readonly ByteString[]
  /** Descriptions of what was left out because the file system or user namespace does not allow it, 100 at most. */
  readonly skipped: readonly string[]
}
