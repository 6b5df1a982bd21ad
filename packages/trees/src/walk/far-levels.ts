import { fstatSync } from 'node:fs'
import { NsboxError } from '@nsbox/errors'

/** Most nested directories; 32 bytes are kept of each. */
const maxLevels = 4_000_000
const fields = 4

/**
 * The identities of parent directories without an open descriptor, and how far each was read. The birth time tells a
 * directory from a later one with the same inode number.
 */
export class FarLevels {
  #words = new BigInt64Array(64 * fields)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** @throws `resource_exhausted` for a tree that is too deep */
  push(fd: number, position: bigint): void {
    if (this.#length >= maxLevels)
      throw new NsboxError('resource_exhausted', `more than ${maxLevels} directories in each other`)
    const at = this.#length * fields
    if (at === this.#words.length) {
      const longer = new BigInt64Array(2 * at)
      longer.set(this.#words)
      this.#words = longer
    }
    const { dev, ino, birthtimeNs } = fstatSync(fd, { bigint: true })
    this.#words.set([dev, ino, birthtimeNs, position], at)
    this.#length += 1
  }

  /** Pops the last one. @returns how far it was read; undefined if the open directory is another one */
  popIf(fd: number): bigint | undefined {
    this.#length -= 1
    const [dev, ino, birth, position] = this.#words.subarray(
      this.#length * fields,
      (this.#length + 1) * fields,
    )
    const found = fstatSync(fd, { bigint: true })
    const isSame = found.dev === dev && BigInt.asIntN(64, found.ino) === ino && found.birthtimeNs === birth
    return isSame ? position : undefined
  }

  clear(): void {
    this.#length = 0
  }
}
