import { Pace } from './pace.ts'
import type { Patience } from './patience.ts'

/** A download under way, as others see it who need the same blob. */
export class Download {
  /** Bytes that the blob has, by the descriptor of whoever downloads it. */
  readonly size: number
  readonly #pace: Pace
  readonly #elsewhere = new AbortController()

  constructor(size: number) {
    this.size = size
    this.#pace = new Pace(size)
  }

  /** Aborts when somebody else has brought the blob, and proved it. */
  get elsewhere(): AbortSignal {
    return this.#elsewhere.signal
  }

  /** Says how many bytes are there. */
  advance(offset: number): void {
    this.#pace.advance(offset)
  }

  /**
   * Whether somebody who needs a blob of some size does well to wait for it: it must be the same blob, and come briskly or
   * have come. What is hostile says of a well-known blob that it is endless, or lets it drip (threat model, E03).
   */
  isWorthWaitingFor(size: number, patience: Patience): boolean {
    return size === this.size && this.#pace.isBrisk && !patience.isOver
  }

  /** Says that somebody else has proved a blob of this digest. */
  provedElsewhere(): void {
    this.#elsewhere.abort(new ProvedElsewhere())
  }
}

/** Why a download stops whose blob is there. */
export class ProvedElsewhere extends Error {
  override readonly name = 'ProvedElsewhere'

  constructor() {
    super('somebody else has brought the blob')
  }
}
