/**
 * Runs one thing for many callers, such as a sync of a disk: all that call while a run is under way share the next one.
 * So the number of runs depends on how long one takes, not on the number of callers. Two never run at the same time. A
 * failure rejects the calls of that run only.
 */
export class Coalescer<T = void> {
  readonly #body: () => Promise<T>
  readonly #gather: (() => Promise<unknown>) | undefined
  #running: Promise<T> | undefined
  #next: Promise<T> | undefined

  /**
   * @param body what is run; it begins after all requests that it serves
   * @param options.gather awaited before each run, so that more callers can join it: the next turn of the event loop,
   * say. Without it, callers join until the next microtask.
   */
  constructor(body: () => Promise<T>, { gather }: { readonly gather?: () => Promise<unknown> } = {}) {
    this.#body = body
    this.#gather = gather
  }

  /** The run that has begun last, if there was any. */
  get latest(): Promise<T> | undefined {
    return this.#running
  }

  /** The result of a run that begins after the call. @throws what the body throws */
  run(): Promise<T> {
    this.#next ??= this.#after(this.#running)
    return this.#next
  }

  /** Resolves once all runs have ended that were asked for by now, however they did. */
  async settled(): Promise<void> {
    await (this.#next ?? this.#running)?.catch(() => undefined)
  }

  async #after(earlier: Promise<T> | undefined): Promise<T> {
    // Whoever waits for the earlier one hears of its failure.
    await earlier?.catch(() => undefined)
    if (this.#gather !== undefined) await this.#gather()
    this.#running = this.#next
    this.#next = undefined
    return await this.#body()
  }
}
