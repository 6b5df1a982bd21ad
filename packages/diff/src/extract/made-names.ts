import type { ByteBudget } from '@nsbox/core/byte-budget'
import type { ByteString } from '../tar/byte-string.ts'
import type { Directories, OpenDirectory } from './directories.ts'

/**
 * Records what a layer has made: device and inode of directories, and names in them. So it can be distinguished from
 * content of lower layers, and from names that the file system treats as the same.
 */
export class MadeNames {
  readonly #names = new Set<string>()
  /** Not indexed yet: identities and names alternate. Few layers need a lookup. */
  readonly #unsorted: string[] = []
  /** Paths of directories that have been checked. */
  readonly #above = new Set<ByteString>()
  readonly #budget: ByteBudget

  /** @param budget of the layer; the names of entries have been counted already */
  constructor(budget: ByteBudget) {
    this.#budget = budget
  }

  /** @param leads whether it is a directory or link, through which names may lead: then it will be looked up */
  add({ id }: OpenDirectory, name: ByteString, leads: boolean): void {
    if (leads) this.#names.add(`${id}/${name}`)
    else this.#unsorted.push(id, name)
  }

  /** A name in a directory that differs from one only in case or in how its characters are composed. */
  alike({ id }: Pick<OpenDirectory, 'id'>, name: ByteString): ByteString | undefined {
    this.#sort()
    const [start, folded] = [`${id}/`, fold(name)]
    for (const key of this.#names) {
      const other = key.slice(start.length)
      if (key.startsWith(start) && other !== name && fold(other) === folded) return other
    }
    return undefined
  }

  has({ id }: Pick<OpenDirectory, 'id'>, name: ByteString): boolean {
    const key = `${id}/${name}`
    if (this.#names.has(key)) return true
    if (this.#unsorted.length === 0) return false
    this.#sort()
    return this.#names.has(key)
  }

  #sort(): void {
    for (let at = 0; at < this.#unsorted.length; at += 2)
      this.#names.add(`${this.#unsorted[at]}/${this.#unsorted[at + 1]}`)
    this.#unsorted.length = 0
  }

  /** Records a directory and those above it as made, because they contain something of the layer. */
  addAbove(path: readonly ByteString[], directories: Directories): void {
    for (const [above, name] of this.#newAbove(path, directories)) this.add(above, name, true)
  }

  /**
   * The first of the names that lead to a directory, from the last on, with which none was made, and the directory that
   * it is in; for one that was empty before. None if all were made with exactly these names.
   */
  foreignAbove(
    path: readonly ByteString[],
    directories: Directories,
  ): { readonly parent: OpenDirectory; readonly name: ByteString } | undefined {
    for (const [parent, name] of this.#newAbove(path, directories))
      if (!this.has(parent, name)) return { parent, name }
    return undefined
  }

  /** The names that lead to a directory, from the last on, without those that have been checked before. */
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

/** A name as file systems compare it that look neither at case nor at how characters are composed. */
const fold = (name: ByteString) => Buffer.from(name, 'latin1').toString().normalize('NFC').toLowerCase()
