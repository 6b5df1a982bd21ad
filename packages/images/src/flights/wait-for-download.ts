import type { AbortOptions } from '@nsbox/core/content'
import type { Descriptor } from '@nsbox/oci'
import type { Download } from './download.ts'
import type { Table } from './flight-table.ts'
import { Pace } from './pace.ts'
import { Patience } from './patience.ts'

/** Milliseconds of patience, the first time, with downloads that the own one has given way to. */
const firstPatience = 8_000

/**
 * The wait for other downloads of a blob. They may be hostile: announce a well-known blob as endless, let it drip, or
 * begin again and again (docs/threat-model.md E03). So they are worth waiting for only if they are for the same blob,
 * of the same size, and
 *
 * - at first, as long as the one that is ahead is brisk
 * - later, once an own download has shown how long it would take, as long as a brisk one takes no longer
 *
 * and as long as there is patience, which then is twice as long each time.
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

  /** Lets the own download give way, if it was begun beside others and one of them will be done sooner. */
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
