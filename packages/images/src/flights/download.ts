import { Pace } from './pace.ts'

/** A running download, for others that need the same blob. */
export class Download {
  /** Bytes of the blob, by the descriptor that is being downloaded. */
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

  /** Says how many bytes are there; the first time, how many there were before. */
  advance(offset: number): void {
    // The wait for the first byte says nothing of how quickly they come.
    if (this.#from === undefined) this.#pace = new Pace(this.size, offset)
    this.#from ??= offset
    this.#pace.advance(offset)
  }

  /** Bytes that are there. */
  get offset(): number {
    return this.#pace.offset
  }

  /** Bytes that have come by this download. */
  get received(): number {
    return this.offset - (this.#from ?? this.offset)
  }

  /** Whether its bytes come briskly, or are all there. */
  get isBrisk(): boolean {
    return this.#pace.isBrisk
  }

  /** Milliseconds until all bytes are there, as it goes now; undefined as long as that cannot be told. */
  get timeLeft(): number | undefined {
    return this.#pace.timeLeft
  }

  /** Says that another download has proved a blob of this digest. */
  provedElsewhere(): void {
    this.#stop.abort(new ProvedElsewhere())
  }

  /** Says that another download will be done before this one. */
  giveWay(): void {
    this.#stop.abort(new GivesWay())
  }
}

/** Why a download stops: the blob is there. */
export class ProvedElsewhere extends Error {
  override readonly name = 'ProvedElsewhere'

  constructor() {
    super('somebody else has brought the blob')
  }
}

/** Why a download stops: another one is quicker. */
export class GivesWay extends Error {
  override readonly name = 'GivesWay'

  constructor() {
    super('somebody else brings the blob sooner')
  }
}
