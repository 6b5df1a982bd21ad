import type { AbortOptions } from '@nsbox/core/content'
import type { Descriptor } from '@nsbox/oci'
import type { Download } from './download.ts'
import type { Table } from './flight-table.ts'
import { Pace } from './pace.ts'
import { Patience } from './patience.ts'

/** Milliseconds of the first wait for downloads for which the own one was stopped. */
const firstPatience = 8_000

/**
 * The wait for other downloads of a blob. They may be hostile: claim that a well-known blob is endless, send it very
 * slowly, or begin again and again (docs/threat-model.md E03). So waiting is worthwhile only for the same blob, of the
 * same size, and
 *
 * - at first, while the download that is ahead is fast enough
 * - later, when an own download has shown how long it would take, while a fast one takes no longer
 *
 * and only within a limit, which then doubles each time.
 */
export class WaitForDownload {
  readonly #blob: Pick<Descriptor, 'digest' | 'size'>
  readonly #downloads: Table<Download>
  #patience: Patience
  #nextPatience = firstPatience
  readonly #ahead: Pace
  /** Milliseconds that an own download would take. */
  #alone: number | undefined
  #hasWaited = false

  constructor(blob: Pick<Descriptor, 'digest' | 'size'>, downloads: Table<Download>, patience: Patience) {
    this.#blob = blob
    this.#downloads = downloads
    this.#patience = patience
    this.#ahead = new Pace(blob.size)
  }

  /** Whether there is a download to wait for. */
  get isWorthIt(): boolean {
    const others = this.#others()
    if (this.#patience.isOver) return false
    if (this.#alone !== undefined) return isSooner(others, this.#alone)
    this.#ahead.advance(Math.max(0, ...others.map(({ offset }) => offset)))
    return this.#ahead.isBrisk && others.some(({ isBrisk }) => isBrisk)
  }

  /** Waits until there is no download to wait for any more. */
  async over(options: AbortOptions): Promise<void> {
    this.#hasWaited ||= this.isWorthIt
    using _wait = this.#patience.wait()
    await this.#downloads.settled(this.#blob.digest, () => this.isWorthIt, options)
  }

  /** Stops the own download if it runs beside others and one of them will be complete earlier. */
  compare(own: Download): void {
    const alone = own.timeLeft
    if (!this.#hasWaited || alone === undefined || !isSooner(this.#others(own), alone)) return
    this.#alone = alone
    this.#patience = new Patience(this.#nextPatience)
    this.#nextPatience *= 2
    own.giveWay()
  }

  #others(own?: Download): readonly Download[] {
    const { digest, size } = this.#blob
    return this.#downloads.of(digest).filter((other) => other !== own && other.size === size)
  }
}

const isSooner = (others: readonly Download[], than: number) =>
  others.some(({ isBrisk, timeLeft }) => isBrisk && timeLeft !== undefined && timeLeft < than)
