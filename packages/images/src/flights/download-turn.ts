import type { Semaphore } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import type { Descriptor } from '@nsbox/oci'
import { DisposableStack } from '@whatwg-node/disposablestack'
import type { Download } from './download.ts'
import type { Table } from './flight-table.ts'

/** A running download with a slot, until it is disposed of. */
export class DownloadTurn implements Disposable {
  readonly download: Download
  readonly #slot: Disposable
  readonly #storing: Semaphore
  readonly #held = new DisposableStack()
  #isStoring = false

  constructor(
    download: Download,
    parts: {
      readonly digest: Descriptor['digest']
      readonly downloads: Table<Download>
      readonly slot: Disposable
      readonly storing: Semaphore
    },
  ) {
    this.download = download
    this.#slot = this.#held.use(parts.slot)
    this.#storing = parts.storing
    this.#held.use(parts.downloads.begin(parts.digest, download))
  }

  /** Frees the slot for the next download while this blob is synced. */
  async received(options: AbortOptions): Promise<void> {
    if (this.#isStoring) return
    this.#isStoring = true
    this.#held.use(await this.#storing.acquire(options))
    this.#slot[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.#held.dispose()
  }
}
