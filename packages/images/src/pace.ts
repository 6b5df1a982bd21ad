/** Milliseconds over which the rate is measured, and for which what has just begun counts as brisk. */
const window = 2_000

/** Bytes per second from which on bytes come briskly. */
const briskRate = 1024 * 1024

/** How quickly the bytes of something come on which others rely. */
export class Pace {
  readonly #total: number
  #offset: number
  #from: number
  #since = performance.now()
  #wasBrisk = true

  /**
   * @param total bytes there will be
   * @param offset bytes that are there at the beginning
   */
  constructor(total: number, offset = 0) {
    this.#total = total
    this.#offset = offset
    this.#from = offset
  }

  /** Says that so many bytes are there now. */
  advance(offset: number): void {
    this.#offset = offset
    this.#measure()
  }

  /** Bytes that are there. */
  get offset(): number {
    return this.#offset
  }

  /** Whether all bytes are there, or 1 MiB came per second when it was last measured, over two seconds. */
  get isBrisk(): boolean {
    this.#measure()
    return this.#wasBrisk || this.#offset >= this.#total
  }

  #measure(): void {
    const now = performance.now()
    const elapsed = now - this.#since
    if (elapsed < window) return
    this.#wasBrisk = this.#offset - this.#from >= (briskRate * elapsed) / 1000
    this.#since = now
    this.#from = this.#offset
  }
}
