import type { ByteString } from '../tar/byte-string.ts'

/** What an extraction reports. */
export interface Extracted {
  /** Entries of the archive, whiteouts included. */
  readonly entries: number
  /**
   * Directories that exist only because names of entries imply them, parents first, one character per byte. They have
   * mode 0755 and belong to root; where a lower layer has them, its attributes are right. The empty path is the root, if
   * it was empty and no entry describes it: it is as it was before.
   */
  readonly implied: readonly ByteString[]
  /** What was left out because the file system or a user namespace cannot have it, as text; at most 100 are listed. */
  readonly skipped: readonly string[]
}
