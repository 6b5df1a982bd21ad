/** Operations under way, which can be aborted together. */
export class Undertakings {
  readonly #running = new Map<AbortController, Promise<unknown>>()

  /** Runs `body`, whose signal is aborted with the given one, or by `end`. */
  async run<T>(signal: AbortSignal | undefined, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal?.throwIfAborted()
    const controller = new AbortController()
    const running = body(signal ? AbortSignal.any([signal, controller.signal]) : controller.signal)
    this.#running.set(controller, running)
    try {
      return await running
    } finally {
      this.#running.delete(controller)
    }
  }

  /** Aborts all operations, and resolves when they have ended. */
  async end(reason: unknown): Promise<void> {
    for (const controller of this.#running.keys()) controller.abort(reason)
    await Promise.allSettled(this.#running.values())
  }
}
