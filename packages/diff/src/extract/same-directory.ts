import type { ByteString } from '../tar/byte-string.ts'
import { nameLimits } from './name-limits.ts'

const dot = 0x2e

/** The directory of the last entry, for a cheap check whether the next entry is in it too, as is common in archives. */
export class SameDirectory {
  /** The beginning of its entries' names, up to the last slash; undefined if none is known. */
  #prefix: ByteString | undefined

  /** @param last the last component of the name, as returned by `entryPath`, which has checked the others */
  set(name: ByteString, last: ByteString): void {
    const prefix = name.slice(0, name.lastIndexOf('/', name.length - 2) + 1)
    // Otherwise the name ends with slashes or dots.
    const isLast = name === prefix + last || name === `${prefix}${last}/`
    this.#prefix = isLast ? prefix : undefined
  }

  /**
   * The last component of a name in the same directory as that of `set`.
   * @returns undefined for a name that has to be parsed: in another directory, a whiteout, or an unusual one
   */
  lastOf(name: ByteString): ByteString | undefined {
    const prefix = this.#prefix
    if (prefix === undefined || name.length > nameLimits.name || !name.startsWith(prefix)) return undefined
    const slash = name.indexOf('/', prefix.length)
    if (slash !== -1 && slash !== name.length - 1) return undefined
    const last = slash === -1 ? name.slice(prefix.length) : name.slice(prefix.length, slash)
    if (last === '' || last.charCodeAt(0) === dot || last.length > nameLimits.component) return undefined
    return last.includes('\0') ? undefined : last
  }
}
