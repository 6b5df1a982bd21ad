import { Pace } from './pace.ts'

/** A running download, for others that need the same blob. */
export class Download {
  /** Bytes of the blob, from the descriptor of this download. */
  readonly size: number
  #pace: Pace
  readonly #stop = new AbortController()
  #from: number | undefined

  constructor(size: number) {
    this.size = size
    this.#pace = new Pace(size)
  }

  /** Aborts with the reason why no more bytes need come: `ProvedElsewhere` or `GivesWay`. */
  get stopped(): AbortSignal {
    return this.#stop.signal
  }

  /** Reports the number of bytes so far; the first call gives those from before. */
  advance(offset: number): void {
    // The wait for the first byte says nothing about the rate.
    if (this.#from === undefined) this.#pace = new Pace(this.size, offset)
    this.#from ??= offset
    this.#pace.advance(offset)
  }

  /** Bytes so far. */
  get offset(): number {
    return this.#pace.offset
  }

  /** Bytes of this download. */
  get received(): number {
    return this.offset - (this.#from ?? this.offset)
  }

  /** Whether its bytes come fast enough, or are complete. */
  get isBrisk(): boolean {
    return this.#pace.isBrisk
  }

  /** Milliseconds until it is complete, at the current rate; undefined while that is unknown. */
  get timeLeft(): number | undefined {
    return this.#pace.timeLeft
  }

  /** Reports that another download has verified a blob with this digest. */
  provedElsewhere(): void {
    this.#stop.abort(new ProvedElsewhere())
  }

  /** Reports that another download will be complete before this one. */
  giveWay(): void {
    this.#stop.abort(new GivesWay())
  }
}

/** The reason to stop a download: the blob exists. */
export class ProvedElsewhere extends Error {
  override readonly name = 'ProvedElsewhere'

  constructor() {
    super('somebody else has brought the blob')
  }
}

/** The reason to stop a download: another one is faster. */
export class GivesWay extends Error {
  override readonly name = 'GivesWay'

  constructor() {
    super('somebody else brings the blob sooner')
  }
}
