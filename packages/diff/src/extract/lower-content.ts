import { constants } from 'node:fs'
import { fileCalls } from '@nsbox/sys/files'
import type { ByteString } from '../tar/byte-string.ts'
import { type Directories, lookUp, type OpenDirectory } from './directories.ts'
import { checkResult } from './file-result.ts'
import { type LayerForm, opaqueXattr } from './layer-form.ts'
import type { MadeNames } from './made-names.ts'
import { type Place, pathOf } from './place.ts'
import { namesIn, removeFromTree } from './remove-from-tree.ts'

const { S_IFCHR } = constants
const yes = Buffer.from('y')

/** Deletes content of lower layers, in the form of the layer. This layer's own content stays. */
export class LowerContent {
  readonly #opaque: string | undefined
  readonly #directories: Directories
  readonly #made: MadeNames

  constructor(form: LayerForm, directories: Directories, made: MadeNames) {
    this.#opaque = opaqueXattr(form)
    this.#directories = directories
    this.#made = made
  }

  /** Whether the directory has the lower layers' content, so that it must be removed. */
  get isPresent(): boolean {
    return this.#opaque === undefined
  }

  /** Makes a directory opaque. */
  hideIn(directory: OpenDirectory, entry: ByteString): void {
    if (this.#opaque !== undefined)
      checkResult(fileCalls.fsetxattr(directory.fd, this.#opaque, yes), 'setxattr', entry)
    else if (this.#removeFrom(directory, entry)) this.#directories.forget()
  }

  /**
   * Deletes a name of the lower layers, in any order of the layer's entries.
   * @returns this layer's own directory with that name, if there is one
   */
  hide(place: Place, remove: (place: Place) => void): OpenDirectory | undefined {
    const { entry, name } = place
    const found = lookUp(place.parent.fd, name, entry.name)
    if (found !== undefined && this.#made.has(place.parent, name)) {
      if (found.kind !== 'directory') return undefined
      const directory = this.#directories.find(pathOf(place))
      if (directory !== undefined) this.hideIn(directory, entry.name)
      return directory
    }
    if (found !== undefined) remove(place)
    if (this.#opaque === undefined) return undefined
    checkResult(fileCalls.mknodat(place.parent.fd, name, S_IFCHR, 0, 0), 'mknod', entry.name)
    this.#made.add(place.parent, name, false)
    return undefined
  }

  /** @returns whether a directory or link was removed, which may affect a kept name */
  #removeFrom(directory: OpenDirectory, entry: ByteString): boolean {
    let removed = false
    for (const name of namesIn(directory.fd)) {
      if (!this.#made.has(directory, name)) {
        removed = true
        removeFromTree(directory.fd, name, entry)
      } else if (lookUp(directory.fd, name, entry)?.kind === 'directory') {
        const below = this.#directories.below(directory.fd, name, entry)
        try {
          removed = this.#removeFrom(below, entry) || removed
        } finally {
          this.#directories.close(below)
        }
      }
    }
    return removed
  }
}
