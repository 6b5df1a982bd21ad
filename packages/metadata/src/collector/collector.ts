import { abortable, Coalescer, shouldYield, yieldToEventLoop } from '@nsbox/concurrency'
import type { AbortOptions, ContentStore, IngestLocks } from '@nsbox/core/content'
import type { Clock } from '@nsbox/time'
import type { BlobGate } from '../content/blob-gate.ts'
import type { GarbageCollector } from '../database/garbage-collector.ts'
import type { Ledger } from '../database/ledger.ts'
import type { Log } from '../database/log.ts'
import type { Unused } from '../database/unused.ts'
import type { BackingsInUse } from '../snapshots/backings-in-use.ts'
import type { CommitsUnderWay } from '../snapshots/commits-under-way.ts'
import type { RemovalsUnderWay } from '../snapshots/removals-under-way.ts'
import type { Snapshotters } from '../snapshots/snapshotters.ts'
import { Alarm } from './alarm.ts'
import { BackendRemoval } from './backend-removal.ts'
import { Marking } from './marking.ts'
import { namespacesWithExpired, nextExpiry, sweep } from './sweep.ts'

/** When the collector runs on its own; times in milliseconds. */
export interface CollectorSchedule {
  /** Whether collections begin only with `Metadata.startCollector`; false by default. */
  readonly manual?: boolean | undefined
  /** From opening, or that start, to the first collection; 100 by default. */
  readonly startupDelay?: number | undefined
  /** Milliseconds from a deletion to the collection after it, which later deletions share; 250 by default. */
  readonly scheduleDelay?: number | undefined
  /** How many other changes lead to a collection too; 100 by default. */
  readonly mutationThreshold?: number | undefined
  /** Largest part of the time that collections may hold the event loop for, up to 0.5; 0.02 by default. */
  readonly pauseThreshold?: number | undefined
}

/** What a collection has done. */
export interface CollectionResult {
  readonly images: number
  readonly content: number
  readonly leases: number
  readonly ingests: number
  readonly snapshots: number
  /** Blobs removed from the disk, because no namespace has them any more. */
  readonly blobs: number
  /** The bytes that they had. */
  readonly bytes: number
  /** Snapshots removed from their snapshotters, because no namespace has them any more. */
  readonly trees: number
  /** Milliseconds for which the event loop was held. */
  readonly pause: number
}

/** A collection that has ended. */
export interface Collection {
  readonly milliseconds: number
  /** What it has done; absent if it failed. */
  readonly result?: CollectionResult | undefined
}

interface CollectorParts {
  readonly backend: ContentStore
  readonly snapshotters: Snapshotters
  readonly commits: CommitsUnderWay
  readonly removals: RemovalsUnderWay
  readonly inUse: BackingsInUse
  readonly gate: BlobGate
  readonly locks: IngestLocks
  /** Does not report writes back to the collector. */
  readonly ledger: Ledger
  /** The ledgers report writes to them. */
  readonly markings: Set<Marking>
  readonly clock: Clock
  readonly log: Log
  readonly onCollection: (collection: Collection) => void
  readonly schedule: CollectorSchedule
}

/** Milliseconds until the next attempt to remove what could not be removed. */
const retryDelay = 60_000

/**
 * Collects garbage: first rows, in short turns for each namespace, then their objects in the backends. Only namespaces
 * in which something has changed or expired are searched.
 */
export class Collector implements GarbageCollector, AsyncDisposable {
  readonly #parts: CollectorParts
  readonly #removal: BackendRemoval
  /** For delays, by a clock that is never set. */
  readonly #soon: Alarm
  readonly #expiry: Alarm
  readonly #dirty = new Set<string>()
  #changes = 0
  /** No collection before this time, unless requested; keeps to the pause threshold. */
  #notBefore = 0
  #searchOrphans = true
  readonly #collections = new Coalescer(() => this.#told())
  #closed = false

  constructor(parts: CollectorParts) {
    this.#parts = parts
    this.#removal = new BackendRemoval(parts)
    this.#soon = new Alarm(performance.now.bind(performance), () => this.#collectInBackground())
    this.#expiry = new Alarm(parts.clock.now, () => this.#collectInBackground())
  }

  /** Starts to run by itself; the first collection searches all namespaces. */
  start(): void {
    const { ledger, schedule } = this.#parts
    for (const { name } of ledger.peek((db) => db.all<{ name: string }>('SELECT name FROM namespace'))) {
      this.#dirty.add(name)
    }
    this.#soon.at(performance.now() + (schedule.startupDelay ?? 100))
  }

  touched(namespace: string): void {
    this.#dirty.add(namespace)
    this.#changes++
    if (this.#changes >= (this.#parts.schedule.mutationThreshold ?? 100)) this.schedule()
  }

  unused(unused: Unused): void {
    this.#removal.add(unused)
  }

  async removeUnused(): Promise<void> {
    await this.#removal.run()
  }

  async removeOrphanSnapshots(snapshotter: string): Promise<void> {
    await this.#removal.findOrphansOf(snapshotter)
    await this.#removal.run()
  }

  schedule(): void {
    const delay = this.#parts.schedule.scheduleDelay ?? 250
    this.#soon.at(Math.max(performance.now() + delay, this.#notBefore))
  }

  expires(time: number | undefined): void {
    if (time !== undefined) this.#expiry.at(time)
  }

  /**
   * Runs a collection that begins after the call, and waits for its end. Callers share it.
   * An abort ends the waiting, not the collection.
   */
  async collect({ signal }: AbortOptions = {}): Promise<CollectionResult> {
    signal?.throwIfAborted()
    return await abortable(this.#collections.run(), { signal })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#soon[Symbol.dispose]()
    this.#expiry[Symbol.dispose]()
    await this.#collections.settled()
  }

  #collectInBackground(): void {
    if (this.#closed) return
    this.#collections.run().catch((error: unknown) => {
      this.#parts.log.warn({ err: error }, 'garbage collection')
      this.#soon.at(performance.now() + retryDelay)
    })
  }

  async #told(): Promise<CollectionResult> {
    const started = performance.now()
    let result: CollectionResult | undefined
    try {
      result = await this.#cycle()
      return result
    } finally {
      this.#parts.onCollection({ milliseconds: performance.now() - started, result })
    }
  }

  async #cycle(): Promise<CollectionResult> {
    const { ledger, clock, schedule, log } = this.#parts
    const result = { images: 0, content: 0, leases: 0, ingests: 0, snapshots: 0, pause: 0 }
    this.#changes = 0
    // This collection serves all requests until now.
    this.#soon.cancel()
    for (const namespace of namespacesWithExpired(ledger, clock.now())) this.#dirty.add(namespace)
    const dirty = [...this.#dirty]
    this.#dirty.clear()
    try {
      for (const namespace of dirty) await this.#sweepNamespace(namespace, result)
    } catch (error) {
      for (const namespace of dirty) this.#dirty.add(namespace)
      throw error
    }
    await this.#searchForOrphans()
    const removed = await this.#removal.run()

    this.expires(nextExpiry(ledger, clock.now()))
    const now = performance.now()
    const pauseThreshold = Math.min(schedule.pauseThreshold ?? 0.02, 0.5)
    this.#notBefore = now + result.pause / pauseThreshold - result.pause
    if (this.#removal.pending) this.#soon.at(now + retryDelay)
    log.debug({ ...result, ...removed }, 'garbage collection')
    return { ...result, ...removed }
  }

  /**
   * Done once, in the first collection, and for a snapshotter of another process in the first that finds it there. If a
   * backend cannot be listed, the collection goes on without it.
   */
  async #searchForOrphans(): Promise<void> {
    try {
      if (this.#searchOrphans) await this.#removal.findOrphans()
      this.#searchOrphans = false
      await this.#removal.findOrphanSnapshots()
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'searching for unused objects')
    }
  }

  async #sweepNamespace(
    namespace: string,
    count: Record<(typeof counters)[keyof typeof counters] | 'snapshots' | 'pause', number>,
  ): Promise<void> {
    const { ledger, clock, locks, commits, inUse, markings } = this.#parts
    const marking = new Marking({ ledger, namespace, now: clock.now(), locks, commits })
    const steps = this.#yielding(count)
    markings.add(marking)
    try {
      await steps(marking.list())
      for (;;) {
        await steps(marking.follow())
        const start = performance.now()
        const swept = sweep(ledger, marking, inUse)
        count.pause += performance.now() - start
        for (const { kind, unused } of swept ?? []) {
          this.#removal.add(unused)
          count[kind in counters ? counters[kind as keyof typeof counters] : 'snapshots']++
        }
        if (swept !== undefined && !marking.hasGarbage) return
      }
    } finally {
      markings.delete(marking)
    }
  }

  /** Runs a generator's steps, yields in between, and adds up the time for which the event loop is held. */
  #yielding(count: { pause: number }): (steps: Generator<void, void, void>) => Promise<void> {
    return async (steps) => {
      await yieldToEventLoop()
      let start = performance.now()
      while (!steps.next().done) {
        if (!shouldYield()) continue
        count.pause += performance.now() - start
        await yieldToEventLoop()
        start = performance.now()
      }
      count.pause += performance.now() - start
    }
  }
}

const counters = { image: 'images', content: 'content', lease: 'leases', ingest: 'ingests' } as const
