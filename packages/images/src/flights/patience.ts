import { AttendedTime } from './attended-time.ts'

/** A limit for the total time of waiting. Concurrent waits count once. */
export class Patience {
  #left: number
  #waits = 0
  readonly #time = new AttendedTime()

  /** @param milliseconds the limit */
  constructor(milliseconds: number) {
    this.#left = milliseconds
  }

  /** Whether it is used up, which is final. */
  get isOver(): boolean {
    this.#spend()
    return this.#left <= 0
  }

  /** Begins a wait, which ends when the result is disposed of. */
  wait(): Disposable {
    this.#spend()
    this.#waits += 1
    let waiting = true
    return {
      [Symbol.dispose]: () => {
        if (!waiting) return
        waiting = false
        this.#spend()
        this.#waits -= 1
      },
    }
  }

  #spend(): void {
    const passed = this.#time.look()
    if (this.#waits > 0) this.#left -= passed
  }
}
