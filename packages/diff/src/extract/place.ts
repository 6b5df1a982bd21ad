import type { ByteString } from '../tar/byte-string.ts'
import type { TarEntry } from '../tar/tar-entry.ts'
import type { OpenDirectory } from './directories.ts'

/** The place of an entry. */
export interface Place {
  readonly entry: TarEntry
  /** The names that lead to the directory. */
  readonly parentPath: readonly ByteString[]
  readonly name: ByteString
  /** Opened again after something was removed, since that closes descriptors. */
  parent: OpenDirectory
}

/** The whole path of a place. */
export function pathOf({ parentPath, name }: Place): readonly ByteString[] {
  return [...parentPath, name]
}
