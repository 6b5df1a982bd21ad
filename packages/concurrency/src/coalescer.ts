/**
 * Combines the calls of many callers into few runs of one function, such as a sync of a disk: all calls made while a
 * run is under way share the next run. So the number of runs depends on how long a run takes, not on the number of
 * callers. Two runs never overlap. A failure rejects the calls of that run only.
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

  /** Resolves once all runs requested so far have ended, whether they succeeded or failed. */
  async settled(): Promise<void> {
    await (this.#next ?? this.#running)?.catch(() => undefined)
  }

  async #after(earlier: Promise<T> | undefined): Promise<T> {
    // A failure of the earlier run is reported to its own callers.
    await earlier?.catch(() => undefined)
    if (this.#gather !== undefined) await this.#gather()
    this.#running = this.#next
    this.#next = undefined
    return await this.#body()
  }
}
