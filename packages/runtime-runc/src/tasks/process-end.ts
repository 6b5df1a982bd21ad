import type { AbortOptions, ProcessExit } from '@nsbox/core/tasks'

interface Waiter {
  resolve(exit: ProcessExit): void
  reject(reason: unknown): void
}

/** The end of a process, once it has been reported. An aborted wait leaves no listener. */
export class ProcessEnd {
  readonly #waiters = new Set<Waiter>()
  #exit: ProcessExit | undefined
  #gone: { readonly reason: unknown } | undefined

  /** Undefined before the end. */
  get exit(): ProcessExit | undefined {
    return this.#exit
  }

  /** Resolves present and future waits. */
  settle(exit: ProcessExit): void {
    this.#exit = exit
    for (const { resolve } of this.#take()) resolve(exit)
  }

  /** Rejects present and future waits: the process was deleted before it was started. */
  abandon(reason: unknown): void {
    this.#gone = { reason }
    for (const { reject } of this.#take()) reject(reason)
  }

  async wait({ signal }: AbortOptions = {}): Promise<ProcessExit> {
    signal?.throwIfAborted()
    if (this.#exit !== undefined) return this.#exit
    if (this.#gone !== undefined) throw this.#gone.reason
    return await new Promise<ProcessExit>((resolve, reject) => {
      const leave = () => signal?.removeEventListener('abort', onAbort)
      const waiter: Waiter = {
        resolve: (exit) => {
          leave()
          resolve(exit)
        },
        reject: (reason) => {
          leave()
          reject(reason)
        },
      }
      const onAbort = () => {
        this.#waiters.delete(waiter)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  #take(): Waiter[] {
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    return waiters
  }
}
