import { fstatSync } from 'node:fs'
import { NsboxError } from '@nsbox/errors'

/** Directories above each other at most; 32 bytes are kept of each. */
const maxLevels = 4_000_000
const fields = 4

/**
 * Directories above the one that a walk is in, of which no descriptor is open: which they were, and how far each was
 * read. The time of birth tells a directory from a later one that was given the same number.
 */
export class FarLevels {
  #words = new BigInt64Array(64 * fields)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** @throws `resource_exhausted` for a tree that is deeper than any should be */
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

  /** Takes off the last one. @returns how far it was read; undefined if an open directory is another */
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
