import type { ByteString } from '../tar/byte-string.ts'
import type { TarEntry } from '../tar/tar-entry.ts'
import type { OpenDirectory } from './directories.ts'

/** Where an entry goes. */
export interface Place {
  readonly entry: TarEntry
  readonly path: readonly ByteString[]
  readonly name: ByteString
  /** Opened again when something was removed, which closes descriptors. */
  parent: OpenDirectory
}
