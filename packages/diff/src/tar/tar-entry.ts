import type { ByteString } from './byte-string.ts'

/** The type of an entry; contiguous and sparse files are files. */
export type TarEntryType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo'

/** Seconds since 1970, of either sign, plus nanoseconds. */
export interface TarTime {
  readonly seconds: number
  readonly nanoseconds: number
}

/** A piece of a sparse file with data; everything between pieces reads as zeros. */
export interface SparsePiece {
  readonly offset: number
  readonly length: number
}

/** An entry of a tar archive, with its extended headers. Names are as in the archive. */
export interface TarEntry {
  readonly type: TarEntryType
  readonly name: ByteString
  /** Target of a hard or symbolic link. */
  readonly linkName: ByteString
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes that the file has once it is extracted. */
  readonly size: number
  readonly mtime: TarTime
  readonly major: number
  readonly minor: number
  readonly xattrs: ReadonlyMap<ByteString, Uint8Array>
  /** For a sparse file: its pieces in order, without overlap, all within `size`. */
  readonly sparse?: readonly SparsePiece[]
}
