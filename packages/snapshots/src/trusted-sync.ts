import { setImmediate as nextTurn } from 'node:timers/promises'
import { Coalescer } from '@nsbox/concurrency'
import { isResourceExhausted, NsboxError } from '@nsbox/errors'

interface TrustedSyncOptions {
  /** Syncs everything that was written before the call. */
  readonly sync: () => Promise<void>
  /** The greatest id that any snapshot has had. */
  readonly lastId: () => number
}

/**
 * Syncs the files of snapshots, and remembers which may have been lost: the kernel drops data that it could not write,
 * and does not say to which snapshot they belonged.
 */
export class TrustedSync {
  /** One at a time: the kernel reports a failure once, so all commits concerned must wait for the same sync. */
  readonly #syncs: Coalescer
  readonly #lastId: () => number
  /** The greatest snapshot id at the time of the last failed sync. */
  #distrusted = 0

  constructor({ sync, lastId }: TrustedSyncOptions) {
    this.#syncs = new Coalescer(sync, { gather: nextTurn })
    this.#lastId = lastId
  }

  /**
   * Resolves once the files of a snapshot, and all other data on its file system, are on the disk.
   * @throws `data_loss` or `resource_exhausted`, from then on for this snapshot and all existing ones
   */
  async run(id: number, key: string): Promise<void> {
    try {
      await this.#syncs.run()
    } catch (cause) {
      this.#distrusted = this.#lastId()
      const code = isResourceExhausted(cause) ? 'resource_exhausted' : 'data_loss'
      throw new NsboxError(code, `the disk did not take the files of snapshot ${key}`, { cause })
    }
    if (id <= this.#distrusted)
      throw new NsboxError('data_loss', `the disk failed while snapshot ${key} was written`)
  }
}
