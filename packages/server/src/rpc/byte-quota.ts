import { abortable, deferred } from '@nsbox/concurrency'
import { NsboxError } from '@nsbox/errors'

/** What is kept for owners who hold little, as a part of all bytes and besides them, and how little that is. */
const keptPart = 1 / 4
const smallPart = 1 / 8

/** How many bytes may be held. */
export interface ByteQuotaOptions {
  /** What the bytes are, for errors. */
  readonly name: string
  /** By one owner. */
  readonly perOwner: number
  /** By all of them together; owners who hold no more than an eighth of it may hold a quarter of it besides. */
  readonly total: number
  /** After how long nothing has come of what is held, in milliseconds; five seconds by default. */
  readonly patience?: number
}

/** Bytes that are held until they are disposed of. */
export interface HeldBytes extends Disposable {
  /** Holds more, if need be beyond the limits: for what turned out to be larger, and is in memory already. */
  grow(bytes: number): void
  /** Something has come of it: it is not what others wait for in vain. */
  touch(): void
}

/** Gives up what is held, which is not the holder's from then on. */
type Evict = (reason: NsboxError) => void

interface Owner {
  held: number
  readonly holdings: Set<Holding>
}

interface Holding {
  bytes: number
  touched: number
  readonly evict: Evict
}

interface Waiter {
  readonly owner: object
  readonly bytes: number
  readonly evict: Evict
  readonly resolve: (held: HeldBytes) => void
}

/**
 * Bounds how many bytes are held for each of many owners, such as connections, and for all. Who wants more than its share
 * waits until it has let go of some. Something is kept for those who hold little. If all bytes are gone, whoever holds more than the one who wants some loses what has been
 * held for longest and for nothing; what moves is waited for.
 */
export class ByteQuota {
  readonly #options: Required<ByteQuotaOptions>
  readonly #owners = new Map<object, Owner>()
  readonly #waiters = new Set<Waiter>()
  #total = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: ByteQuotaOptions) {
    this.#options = { patience: 5000, ...options }
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
    const { promise: turn, resolve } = deferred<HeldBytes>()
    const waiter: Waiter = { owner, bytes: wanted, evict, resolve }
    this.#waiters.add(waiter)
    this.#timer ??= setTimeout(() => this.#serve(), this.#options.patience).unref()
    try {
      return await abortable(turn, { signal })
    } catch (error) {
      // It may have been given some in the same moment.
      if (!this.#waiters.delete(waiter)) (await turn)[Symbol.dispose]()
      this.#serve()
      throw error
    }
  }

  #hasRoom(owner: object, bytes: number): boolean {
    const { perOwner, total } = this.#options
    const wanted = () => (this.#owners.get(owner)?.held ?? 0) + bytes
    // Those who hold much get nothing of what is kept for others, whom they would let wait.
    const limit = () => (wanted() > total * smallPart ? total : total * (1 + keptPart))
    // Whoever loses something may let go of more, and others be served from that.
    while (wanted() <= perOwner && this.#total + bytes > limit())
      if (!this.#evictStalled(wanted())) return false
    return wanted() <= perOwner
  }

  /** Takes something away from one who holds more than so many bytes. @returns whether there was something */
  #evictStalled(than: number): boolean {
    let found: { owner: object; holding: Holding } | undefined
    for (const [owner, { held, holdings }] of this.#owners) {
      if (held <= than) continue
      for (const holding of holdings)
        if (found === undefined || holding.touched < found.holding.touched) found = { owner, holding }
    }
    if (found === undefined || performance.now() - found.holding.touched < this.#options.patience)
      return false
    this.#release(found.owner, found.holding)
    found.holding.evict(this.#exhausted())
    return true
  }

  #hold(owner: object, bytes: number, evict: Evict): HeldBytes {
    const record = this.#owners.get(owner) ?? { held: 0, holdings: new Set() }
    const holding: Holding = { bytes: 0, touched: performance.now(), evict }
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
      touch: () => {
        holding.touched = performance.now()
      },
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
    clearTimeout(this.#timer)
    this.#timer = undefined
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
    // What they wait for may be held for nothing by then.
    if (this.#waiters.size > 0) this.#timer = setTimeout(() => this.#serve(), this.#options.patience).unref()
  }

  #exhausted(): NsboxError {
    const { name, perOwner, total } = this.#options
    return new NsboxError(
      'resource_exhausted',
      `more than ${perOwner} bytes of ${name} on one connection, or ${total} on all`,
    )
  }
}
