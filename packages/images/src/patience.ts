/**
 * How long somebody waits for others in all. What is waited for at the same time counts once.
 */
export class Patience {
  #left: number
  #waits = 0
  #since = 0

  /** @param milliseconds how long it lasts */
  constructor(milliseconds: number) {
    this.#left = milliseconds
  }

  /** Whether nothing is left of it, which does not change any more. */
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
    const now = performance.now()
    if (this.#waits > 0) this.#left -= now - this.#since
    this.#since = now
  }
}
