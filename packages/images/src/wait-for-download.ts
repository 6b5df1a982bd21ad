import type { AbortOptions } from '@nsbox/core/content'
import type { Descriptor } from '@nsbox/oci'
import type { Download } from './download.ts'
import type { FlightTable } from './flight-table.ts'
import { Pace } from './pace.ts'
import type { Patience } from './patience.ts'

/**
 * The wait of somebody who needs a blob for those who download it already. Others may be hostile: they say of a well-known
 * blob that it is endless, let it drip, or begin with it again and again (threat model, E03). So they are worth waiting for
 * only if they mean the same blob, of the same size, and as long as the one that is ahead comes on briskly.
 */
export class WaitForDownload {
  readonly #blob: Pick<Descriptor, 'digest' | 'size'>
  readonly #downloads: FlightTable<Download>
  readonly #patience: Patience
  readonly #ahead: Pace

  constructor(
    blob: Pick<Descriptor, 'digest' | 'size'>,
    downloads: FlightTable<Download>,
    patience: Patience,
  ) {
    this.#blob = blob
    this.#downloads = downloads
    this.#patience = patience
    this.#ahead = new Pace(blob.size)
  }

  /** Whether there is anybody to wait for. */
  get isWorthIt(): boolean {
    return this.#others().length > 0
  }

  /** Waits until there is nobody to wait for any more. */
  async over(options: AbortOptions): Promise<void> {
    using _wait = this.#patience.wait()
    await this.#downloads.settled(this.#blob.digest, () => this.isWorthIt, options)
  }

  #others(): readonly Download[] {
    const { digest, size } = this.#blob
    const same = this.#downloads.of(digest).filter((other) => other.size === size)
    this.#ahead.advance(Math.max(0, ...same.map(({ offset }) => offset)))
    return this.#ahead.isBrisk && !this.#patience.isOver ? same.filter(({ isBrisk }) => isBrisk) : []
  }
}
