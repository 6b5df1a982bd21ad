import { type AbortOptions, abortable, deferred } from '@nsbox/concurrency'

/**
 * The progress of one layer's commit, for the layer above it. A commit that has not succeeded when this is disposed of
 * has failed.
 */
export class ChainCommit implements Disposable {
  readonly #begun = deferred()
  readonly #ended = deferred()
  #succeeded = false

  /** Reports that the snapshotter has been asked to commit. */
  begin(): void {
    this.#begun.resolve()
  }

  /** Reports that the snapshot exists. */
  succeed(): void {
    this.#succeeded = true
    this.#begun.resolve()
    this.#ended.resolve()
  }

  /** Whether the snapshot exists. */
  get hasSucceeded(): boolean {
    return this.#succeeded
  }

  [Symbol.dispose](): void {
    this.#ended.resolve()
  }

  /** Waits until the commit has begun, or the snapshot exists. */
  async begun(options: AbortOptions): Promise<void> {
    await abortable(this.#begun.promise, options)
  }

  /** Waits until the commit has ended. @returns whether the snapshot exists */
  async ended(options: AbortOptions): Promise<boolean> {
    await abortable(this.#ended.promise, options)
    return this.#succeeded
  }
}
