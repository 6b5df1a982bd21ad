import { Pace } from './pace.ts'

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

  /** Bytes that are there. */
  get offset(): number {
    return this.#pace.offset
  }

  /** Whether its bytes come briskly, or are all there. */
  get isBrisk(): boolean {
    return this.#pace.isBrisk
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
