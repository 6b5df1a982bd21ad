import { AttendedTime } from './attended-time.ts'

/** Milliseconds over which the rate is measured; until then it counts as fast enough. */
const window = 2_000

/** Bytes per millisecond that are fast enough: 1 MiB per second. */
const briskRate = (1024 * 1024) / 1000

/** The rate at which a blob arrives that others wait for. */
export class Pace {
  readonly #total: number
  #offset: number
  #from: number
  readonly #time = new AttendedTime()
  #elapsed = 0
  #rate: number | undefined

  /**
   * @param total bytes of the blob
   * @param offset bytes at the beginning
   */
  constructor(total: number, offset = 0) {
    this.#total = total
    this.#offset = offset
    this.#from = offset
  }

  /** Reports the number of bytes so far. */
  advance(offset: number): void {
    this.#offset = offset
    this.#measure()
  }

  /** Bytes so far. */
  get offset(): number {
    return this.#offset
  }

  /**
   * Whether all bytes have come, or the rate was at least 1 MiB per second in the last measurement, over two seconds.
   */
  get isBrisk(): boolean {
    this.#measure()
    return this.#rate === undefined || this.#rate >= briskRate || this.#offset >= this.#total
  }

  /** Milliseconds until all bytes have come, at the last measured rate; undefined before the first measurement. */
  get timeLeft(): number | undefined {
    this.#measure()
    const left = this.#total - this.#offset
    if (left <= 0) return 0
    return this.#rate === undefined ? undefined : left / this.#rate
  }

  #measure(): void {
    this.#elapsed += this.#time.look()
    if (this.#elapsed < window) return
    this.#rate = Math.max(0, this.#offset - this.#from) / this.#elapsed
    this.#elapsed = 0
    this.#from = this.#offset
  }
}
