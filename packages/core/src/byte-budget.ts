import { NsboxError } from '@nsbox/errors'

/** Counted for each item besides its bytes, so that the number of empty items is bounded too. */
const overhead = 64

/**
 * A bound for memory that input fills: names, links, attributes, documents. Bytes are taken from the budget before they
 * are kept, and refused beyond its limit.
 */
export class ByteBudget {
  readonly #what: string
  readonly #limit: number
  #taken = 0

  /**
   * @param what is kept, for the error: `names of the archive`
   * @param limit most bytes; each item counts 64 more than it has
   */
  constructor(what: string, limit: number) {
    this.#what = what
    this.#limit = limit
  }

  /** Bytes taken, including the 64 for each item. */
  get taken(): number {
    return this.#taken
  }

  /** Whether an item of so many bytes fits. */
  has(bytes: number): boolean {
    return this.#taken + bytes + overhead <= this.#limit
  }

  /**
   * Takes the bytes of one item, before it is kept.
   * @throws `resource_exhausted` beyond the limit
   */
  take(bytes: number): void {
    if (!this.has(bytes))
      throw new NsboxError('resource_exhausted', `${this.#what}: more than ${this.#limit} bytes in all`, {
        details: { limit: this.#limit },
      })
    this.#taken += bytes + overhead
  }

  /** Gives back the bytes of one item. */
  giveBack(bytes: number): void {
    this.#taken -= bytes + overhead
  }
}

/**
 * A budget for a list in one message: 16 MiB, as much as containerd sends and its clients accept
 * (`DefaultMaxSendMsgSize`). For more, clients have to use filters.
 */
export function answerBudget(what: string): ByteBudget {
  return new ByteBudget(`${what} in one answer`, 16 * 1024 * 1024)
}
