import type { ByteBudget } from '@nsbox/core/byte-budget'
import type { ByteString } from '../tar/byte-string.ts'
import type { Directories, OpenDirectory } from './directories.ts'

/**
 * What a layer has made, so that it can be told from what lower layers have and from what a file system takes for the
 * same name: identities of directories and names in them.
 */
export class MadeNames {
  readonly #names = new Set<string>()
  /** Identities and names in turns, which are among the names too. Hardly a layer has any of them looked up. */
  readonly #unsorted: string[] = []
  /** Paths of directories that were seen to. */
  readonly #above = new Set<ByteString>()
  readonly #budget: ByteBudget

  /** @param budget of the layer; the names of entries are taken from it already, as part of what is left of them */
  constructor(budget: ByteBudget) {
    this.#budget = budget
  }

  /** @param leads whether names may lead through it, as a directory or link: it will be asked for */
  add({ id }: OpenDirectory, name: ByteString, leads: boolean): void {
    if (leads) this.#names.add(`${id}/${name}`)
    else this.#unsorted.push(id, name)
  }

  has({ id }: Pick<OpenDirectory, 'id'>, name: ByteString): boolean {
    const key = `${id}/${name}`
    if (this.#names.has(key)) return true
    if (this.#unsorted.length === 0) return false
    for (let at = 0; at < this.#unsorted.length; at += 2)
      this.#names.add(`${this.#unsorted[at]}/${this.#unsorted[at + 1]}`)
    this.#unsorted.length = 0
    return this.#names.has(key)
  }

  /** Takes a directory and those above it for made, because something of the layer is in them. */
  addAbove(path: readonly ByteString[], directories: Directories): void {
    for (const [above, name] of this.#newAbove(path, directories)) this.add(above, name, true)
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
      this.#budget.take(name.length)
      this.#above.add(name)
      const above = directories.find(path.slice(0, depth - 1))
      if (above !== undefined) yield [above, path[depth - 1]!]
    }
  }
}
