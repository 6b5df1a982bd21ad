/** Longest time of a timer, in milliseconds: the clock may be set, and Node's timers are limited to 24.8 days. */
const longest = 60 * 60 * 1000

/** One timer for the earliest of the requested times. It does not keep the process alive. */
export class Alarm implements Disposable {
  readonly #now: () => number
  readonly #body: () => void
  #due = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /**
   * @param now the clock of the times, in milliseconds
   * @param body called at or after the requested time
   */
  constructor(now: () => number, body: () => void) {
    this.#now = now
    this.#body = body
  }

  /** Requests a call of the body at a time of the clock. */
  at(time: number): void {
    if (this.#closed || time >= this.#due) return
    this.#due = time
    this.#set()
  }

  /** Cancels the request: the body has run for another reason. */
  cancel(): void {
    clearTimeout(this.#timer)
    this.#due = Number.POSITIVE_INFINITY
  }

  [Symbol.dispose](): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #set(): void {
    clearTimeout(this.#timer)
    const delay = Math.min(Math.max(0, this.#due - this.#now()), longest)
    this.#timer = setTimeout(() => this.#fire(), delay)
    this.#timer.unref()
  }

  #fire(): void {
    // The wait was shortened, or the timer was a little early.
    if (this.#now() < this.#due) {
      this.#set()
      return
    }
    this.#due = Number.POSITIVE_INFINITY
    this.#body()
  }
}
