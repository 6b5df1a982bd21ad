import { closeSync, constants, openSync } from 'node:fs'
import { fileCalls, resolveFlags } from '@nsbox/sys/files'
import { checkResult } from '../extract/file-result.ts'
import type { ByteString } from '../tar/byte-string.ts'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants

/** Opens files of a tree to read them. No link is followed, at no place of a name, and a FIFO does not make it wait. */
export class OpenTree implements Disposable {
  readonly #root: number

  constructor(root: string) {
    this.#root = openSync(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  }

  /** The descriptor is the caller's. */
  open(path: ByteString): number {
    const resolve = resolveFlags.inRoot | resolveFlags.noSymlinks | resolveFlags.noMagicLinks
    return checkResult(
      fileCalls.openat2(this.#root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, resolve),
      'open',
      path,
    )
  }

  [Symbol.dispose](): void {
    closeSync(this.#root)
  }
}
