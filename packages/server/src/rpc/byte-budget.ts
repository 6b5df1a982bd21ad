import { NsboxError } from '@nsbox/errors'
import { unlessAborted } from '../signal/unless-aborted.ts'

/** How many bytes may be held. */
export interface ByteBudgetOptions {
  /** What the bytes are, for errors. */
  readonly name: string
  /** By one owner. */
  readonly perOwner: number
  /** By all of them together. */
  readonly total: number
}

/** Bytes that are held until they are disposed of. */
export interface HeldBytes extends Disposable {
  /** Holds more, if need be beyond the limits: for what turned out to be larger, and is in memory already. */
  grow(bytes: number): void
}

/** Gives up what is held, which is not the holder's from then on. */
type Evict = (reason: NsboxError) => void

interface Owner {
  held: number
  readonly holdings: Set<Holding>
}

interface Holding {
  bytes: number
  readonly evict: Evict
}

interface Waiter {
  readonly owner: object
  readonly bytes: number
  readonly evict: Evict
  readonly resolve: (held: HeldBytes) => void
}

/**
 * Bounds how many bytes are held for each of many owners, such as connections, and for all. One who wants more than its
 * share waits until it has let go of some. One whose share is not used up does not suffer from others: if all bytes are
 * gone, then whoever holds the most loses what it has held for longest.
 */
export class ByteBudget {
  readonly #options: ByteBudgetOptions
  readonly #owners = new Map<object, Owner>()
  readonly #waiters = new Set<Waiter>()
  #total = 0

  constructor(options: ByteBudgetOptions) {
    this.#options = options
  }

  /** How many bytes are held. */
  get total(): number {
    return this.#total
  }

  /**
   * Holds bytes at once.
   *
   * @param evict called when others need them more
   * @throws `resource_exhausted` if there are not so many left
   */
  take(owner: object, bytes: number, evict: Evict): HeldBytes {
    if (!this.#hasRoom(owner, bytes)) throw this.#exhausted()
    return this.#hold(owner, bytes, evict)
  }

  /**
   * Holds bytes once there are so many left; at most as many as an owner may hold.
   *
   * @throws the signal's reason
   */
  async wait(owner: object, bytes: number, evict: Evict, signal: AbortSignal): Promise<HeldBytes> {
    signal.throwIfAborted()
    const wanted = Math.min(bytes, this.#options.perOwner)
    const isFirst = ![...this.#waiters].some((waiter) => waiter.owner === owner)
    if (isFirst && this.#hasRoom(owner, wanted)) return this.#hold(owner, wanted, evict)
    let waiter: Waiter | undefined
    let given: HeldBytes | undefined
    const turn = new Promise<HeldBytes>((resolve) => {
      waiter = { owner, bytes: wanted, evict, resolve: (held) => resolve((given = held)) }
      this.#waiters.add(waiter)
    })
    try {
      return await unlessAborted(turn, signal)
    } catch (error) {
      if (waiter !== undefined) this.#waiters.delete(waiter)
      given?.[Symbol.dispose]()
      this.#serve()
      throw error
    }
  }

  #hasRoom(owner: object, bytes: number): boolean {
    const { perOwner, total } = this.#options
    const wanted = () => (this.#owners.get(owner)?.held ?? 0) + bytes
    // Whoever loses something may let go of more, and others be served from that.
    while (wanted() <= perOwner && this.#total + bytes > total) {
      const [heaviest, held] = this.#heaviest()
      if (heaviest === undefined || heaviest === owner || held <= wanted()) return false
      this.#evictOldest(heaviest)
    }
    return wanted() <= perOwner
  }

  #heaviest(): readonly [object | undefined, number] {
    let found: object | undefined
    let most = 0
    for (const [owner, { held }] of this.#owners) {
      if (held > most) [found, most] = [owner, held]
    }
    return [found, most]
  }

  #evictOldest(owner: object): void {
    const [oldest] = this.#owners.get(owner)?.holdings ?? []
    if (oldest === undefined) return
    this.#release(owner, oldest)
    oldest.evict(this.#exhausted())
  }

  #hold(owner: object, bytes: number, evict: Evict): HeldBytes {
    const record = this.#owners.get(owner) ?? { held: 0, holdings: new Set() }
    const holding: Holding = { bytes: 0, evict }
    this.#owners.set(owner, record)
    record.holdings.add(holding)
    const grow = (more: number) => {
      if (!record.holdings.has(holding)) return
      holding.bytes += more
      record.held += more
      this.#total += more
    }
    grow(bytes)
    return {
      grow,
      [Symbol.dispose]: () => {
        this.#release(owner, holding)
        this.#serve()
      },
    }
  }

  #release(owner: object, holding: Holding): void {
    const record = this.#owners.get(owner)
    if (record?.holdings.delete(holding) !== true) return
    record.held -= holding.bytes
    this.#total -= holding.bytes
    if (record.holdings.size === 0) this.#owners.delete(owner)
  }

  /** Gives what has come free to those who wait, each owner's in turn. */
  #serve(): void {
    const behind = new Set<object>()
    for (const waiter of this.#waiters) {
      if (behind.has(waiter.owner)) continue
      if (!this.#hasRoom(waiter.owner, waiter.bytes)) {
        behind.add(waiter.owner)
        continue
      }
      this.#waiters.delete(waiter)
      waiter.resolve(this.#hold(waiter.owner, waiter.bytes, waiter.evict))
    }
  }

  #exhausted(): NsboxError {
    const { name, perOwner, total } = this.#options
    return new NsboxError(
      'resource_exhausted',
      `more than ${perOwner} bytes of ${name} on one connection, or ${total} on all`,
    )
  }
}
