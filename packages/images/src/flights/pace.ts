import { AttendedTime } from './attended-time.ts'

/** Milliseconds over which the rate is measured; until then it counts as brisk. */
const window = 2_000

/** Bytes per millisecond from which on bytes come briskly: 1 MiB per second. */
const briskRate = (1024 * 1024) / 1000

/** How quickly the bytes of a blob come that others wait for. */
export class Pace {
  readonly #total: number
  #offset: number
  #from: number
  readonly #time = new AttendedTime()
  #elapsed = 0
  #rate: number | undefined

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
    return this.#rate === undefined || this.#rate >= briskRate || this.#offset >= this.#total
  }

  /** Milliseconds until all bytes are there, at the rate that was last measured; undefined before the first time. */
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
