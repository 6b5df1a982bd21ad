import type { AbortOptions } from '@nsbox/core/content'
import type { Descriptor } from '@nsbox/oci'
import type { Download } from './download.ts'
import type { Table } from './flight-table.ts'
import { Pace } from './pace.ts'
import { Patience } from './patience.ts'

/** Milliseconds of patience with others that a download of one's own has given way to, the first time. */
const firstPatience = 8_000

/**
 * The wait of somebody who needs a blob for those who download it already. Others may be hostile: they say of a
 * well-known blob that it is endless, let it drip, or begin with it again and again (docs/threat-model.md E03). So they
 * are worth waiting for only if they mean the same blob, of the same size, and
 *
 * - at first, as long as the one that is ahead comes on briskly
 * - later, once a download of one's own has shown how long it would take, as long as one that comes briskly takes no
 *   longer
 *
 * and as long as there is patience, which then is twice as long each time.
 */
export class WaitForDownload {
  readonly #blob: Pick<Descriptor, 'digest' | 'size'>
  readonly #downloads: Table<Download>
  #patience: Patience
  #nextPatience = firstPatience
  readonly #ahead: Pace
  /** Milliseconds that a download of one's own would take. */
  #alone: number | undefined
  #hasWaited = false

  constructor(blob: Pick<Descriptor, 'digest' | 'size'>, downloads: Table<Download>, patience: Patience) {
    this.#blob = blob
    this.#downloads = downloads
    this.#patience = patience
    this.#ahead = new Pace(blob.size)
  }

  /** Whether there is anybody to wait for. */
  get isWorthIt(): boolean {
    const others = this.#others()
    if (this.#patience.isOver) return false
    if (this.#alone !== undefined) return isSooner(others, this.#alone)
    this.#ahead.advance(Math.max(0, ...others.map(({ offset }) => offset)))
    return this.#ahead.isBrisk && others.some(({ isBrisk }) => isBrisk)
  }

  /** Waits until there is nobody to wait for any more. */
  async over(options: AbortOptions): Promise<void> {
    this.#hasWaited ||= this.isWorthIt
    using _wait = this.#patience.wait()
    await this.#downloads.settled(this.#blob.digest, () => this.isWorthIt, options)
  }

  /** Lets a download of one's own give way, if it was begun beside others and one of them will be there sooner. */
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
