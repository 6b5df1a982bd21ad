import type { ByteString } from '../tar/byte-string.ts'
import type { TarEntry } from '../tar/tar-entry.ts'
import { type Attributes, defaultAclOf } from './attributes.ts'
import type { Directories, OpenDirectory } from './directories.ts'

/**
 * The directories that have entries. Making files in them changes their times, so these are set whenever a directory is
 * closed; opening each again at the end would take longer.
 */
export class DescribedDirectories {
  readonly #attributes: Attributes
  readonly #described = new Map<string, { readonly path: readonly ByteString[]; readonly entry: TarEntry }>()

  constructor(attributes: Attributes) {
    this.#attributes = attributes
  }

  add({ id }: OpenDirectory, path: readonly ByteString[], entry: TarEntry): void {
    this.#described.set(id, { path, entry })
  }

  /** Records that a directory was made which no entry describes; it may have the inode of a removed one. */
  undescribed({ id }: OpenDirectory): void {
    this.#described.delete(id)
  }

  /** Sets the times of a directory, unless it has a default access control list, which new files would inherit. */
  closing({ id, fd }: OpenDirectory): void {
    const entry = this.#described.get(id)?.entry
    if (entry !== undefined && defaultAclOf(entry) === undefined) this.#attributes.setLate(fd, entry)
  }

  /** Sets everything that has to wait for the end of the layer. */
  finish(directories: Directories): void {
    directories.forget()
    this.closing(directories.root)
    for (const [id, { path, entry }] of this.#described) {
      if (defaultAclOf(entry) === undefined) continue
      const directory = directories.find(path)
      // A later entry may have replaced it.
      if (directory?.id === id) this.#attributes.setLate(directory.fd, entry)
    }
  }
}
