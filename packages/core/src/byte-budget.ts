import { NsboxError } from '@nsbox/errors'

/** What each thing counts besides its bytes, so that any number of empty ones is bounded too. */
const overhead = 64

/**
 * Counts the bytes of what is gathered from input and kept in memory, and refuses what goes beyond a limit. Whatever
 * keeps names, links, attributes or documents that somebody else wrote takes them from one of these first.
 */
export class ByteBudget {
  readonly #what: string
  readonly #limit: number
  #taken = 0

  /**
   * @param what is gathered, for the error: `names of the archive`
   * @param limit most bytes; each thing that is taken counts 64 more than it has
   */
  constructor(what: string, limit: number) {
    this.#what = what
    this.#limit = limit
  }

  /** Bytes that are taken, with what each thing counts besides. */
  get taken(): number {
    return this.#taken
  }

  /** Whether a thing of so many bytes could be taken. */
  has(bytes: number): boolean {
    return this.#taken + bytes + overhead <= this.#limit
  }

  /**
   * Takes one thing of so many bytes, before it is kept.
   * @throws `resource_exhausted` beyond the limit
   */
  take(bytes: number): void {
    if (!this.has(bytes))
      throw new NsboxError('resource_exhausted', `${this.#what}: more than ${this.#limit} bytes in all`, {
        details: { limit: this.#limit },
      })
    this.#taken += bytes + overhead
  }

  /** Gives back what was taken for one thing that is not kept any more. */
  giveBack(bytes: number): void {
    this.#taken -= bytes + overhead
  }
}

/**
 * For an answer that lists things and is one message: 16 MiB, as much as containerd sends in one and its clients take
 * (`DefaultMaxSendMsgSize`). More than that has to be asked for with filters.
 */
export function answerBudget(what: string): ByteBudget {
  return new ByteBudget(`${what} in one answer`, 16 * 1024 * 1024)
}
