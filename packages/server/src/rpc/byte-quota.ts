import { abortable, deferred } from '@nsbox/concurrency'
import { NsboxError } from '@nsbox/errors'

/**
 * The part of all bytes that is reserved, in addition, for owners that hold little, and the most that such an owner
 * holds.
 */
const keptPart = 1 / 4
const smallPart = 1 / 8

/** Limits of a quota. */
export interface ByteQuotaOptions {
  /** What the bytes are for, for errors. */
  readonly name: string
  /** Most bytes of one owner. */
  readonly perOwner: number
  /** Most bytes of all owners together. Owners that hold at most an eighth of it share another quarter. */
  readonly total: number
  /** Milliseconds without progress after which held bytes may be taken away; five seconds by default. */
  readonly patience?: number
}

/** Held bytes, until disposed of. */
export interface HeldBytes extends Disposable {
  /** Holds more, even beyond the limits: for data that is larger than expected and in memory already. */
  grow(bytes: number): void
  /** Records progress, so that the bytes are not taken away. */
  touch(): void
}

/** Makes the holder release the bytes. */
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
 * Bounds the bytes held by each of many owners, such as connections, and by all. An owner that wants more than its
 * share waits until it has released some. A part is reserved for owners that hold little. If no bytes are left, an
 * owner that holds more than the waiting one loses those that it has held longest without progress; others are waited
 * for.
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

  /** Bytes held. */
  get total(): number {
    return this.#total
  }

  /**
   * Holds bytes without waiting.
   *
   * @param evict called when the bytes are taken away
   * @throws `resource_exhausted` if there are not enough left
   */
  take(owner: object, bytes: number, evict: Evict): HeldBytes {
    if (!this.#hasRoom(owner, bytes)) throw this.#exhausted()
    return this.#hold(owner, bytes, evict)
  }

  /**
   * Waits for bytes; at most as many as an owner may hold.
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
      // It may have got some in the same turn.
      if (!this.#waiters.delete(waiter)) (await turn)[Symbol.dispose]()
      this.#serve()
      throw error
    }
  }

  #hasRoom(owner: object, bytes: number): boolean {
    const { perOwner, total } = this.#options
    const wanted = () => (this.#owners.get(owner)?.held ?? 0) + bytes
    // Owners that hold much get nothing of the reserved part.
    const limit = () => (wanted() > total * smallPart ? total : total * (1 + keptPart))
    // Evicting one may release more, which serves others.
    while (wanted() <= perOwner && this.#total + bytes > limit())
      if (!this.#evictStalled(wanted())) return false
    return wanted() <= perOwner
  }

  /** Evicts bytes of an owner that holds more than the given number. @returns whether there was one */
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

  /** Serves waiting requests, one of each owner in turn. */
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
    // By then, holdings may have been without progress for too long.
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
