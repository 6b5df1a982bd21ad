import { seededBytes } from '@nsbox/testing'

/** Choices that are the same for the same seed. */
export class Random {
  readonly #bytes: Generator<Uint8Array>
  #piece = Buffer.alloc(0)

  constructor(seed: string) {
    this.#bytes = seededBytes(seed, Number.MAX_SAFE_INTEGER)
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    if (this.#piece.length < 4) this.#piece = Buffer.from(this.#bytes.next().value as Uint8Array)
    const drawn = this.#piece.readUInt32LE() % limit
    this.#piece = this.#piece.subarray(4)
    return drawn
  }

  /** One of several, which must not be none. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }

  /** One of several by their weights. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const entries = Object.entries<number>(weights) as [T, number][]
    let drawn = this.below(entries.reduce((sum, [, weight]) => sum + weight, 0))
    for (const [choice, weight] of entries) {
      if (drawn < weight) return choice
      drawn -= weight
    }
    throw new TypeError('no weights')
  }
}
