import type { ByteString } from '../tar/byte-string.ts'
import type { Directories, OpenDirectory } from './directories.ts'

/** What a layer has made, so that it can be told from what lower layers have: identities of directories and names in them. */
export class MadeNames {
  readonly #names = new Set<string>()
  /** Paths of directories that were seen to. */
  readonly #above = new Set<ByteString>()

  add({ id }: OpenDirectory, name: ByteString): void {
    this.#names.add(`${id}/${name}`)
  }

  has({ id }: Pick<OpenDirectory, 'id'>, name: ByteString): boolean {
    return this.#names.has(`${id}/${name}`)
  }

  /** Takes a directory and those above it for made, because something of the layer is in them. */
  addAbove(path: readonly ByteString[], directories: Directories): void {
    for (const [above, name] of this.#newAbove(path, directories)) this.add(above, name)
  }

  /** Whether a directory and those above it were made by the names that the path has, in a layer that began with nothing. */
  hasAbove(path: readonly ByteString[], directories: Directories): boolean {
    for (const [above, name] of this.#newAbove(path, directories)) if (!this.has(above, name)) return false
    return true
  }

  /** The names that lead to a directory, from the last on, as far as they were not asked for before. */
  *#newAbove(path: readonly ByteString[], directories: Directories): Generator<[OpenDirectory, ByteString]> {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const name = path.slice(0, depth).join('/')
      if (this.#above.has(name)) return
      this.#above.add(name)
      const above = directories.find(path.slice(0, depth - 1))
      if (above !== undefined) yield [above, path[depth - 1]!]
    }
  }
}
