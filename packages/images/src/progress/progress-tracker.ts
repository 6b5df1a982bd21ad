import type { ProgressListener, TransferProgress } from '@nsbox/core/transfer'

/** Milliseconds between two reports of a moving object. */
const interval = 100

/**
 * Reports the progress of objects of a transfer to a listener: every change of state at once, bytes at most ten times a
 * second. Dispose of it to stop the timer.
 */
export class ProgressTracker {
  readonly #listener: ProgressListener | undefined
  readonly #moved = new Map<string, TransferProgress>()
  #timer: NodeJS.Timeout | undefined

  constructor(listener: ProgressListener | undefined) {
    this.#listener = listener
  }

  /** Reports a line about the whole transfer, or about its image. */
  say(event: string, image: Pick<TransferProgress, 'name' | 'descriptor'> = { name: '' }): void {
    this.state({ event, parents: [], progress: 0, total: 0, ...image })
  }

  /** Reports a new state of an object. */
  state(progress: TransferProgress): void {
    this.#moved.delete(progress.name)
    this.#listener?.(progress)
  }

  /** Records the bytes of an object. */
  move(progress: TransferProgress): void {
    if (this.#listener === undefined) return
    this.#moved.set(progress.name, progress)
    this.#timer ??= setInterval(() => this.#flush(), interval).unref()
  }

  #flush(): void {
    for (const progress of this.#moved.values()) this.#listener?.(progress)
    this.#moved.clear()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#moved.clear()
  }
}
