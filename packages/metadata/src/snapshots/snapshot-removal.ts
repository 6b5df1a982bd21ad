import { isForeign, type Snapshotter } from '@nsbox/core/snapshots'
import { isDeadlineExceeded, isNotFound, isUnavailable, isUnimplemented } from '@nsbox/errors'
import type { Ledger } from '../database/ledger.ts'
import type { Log } from '../database/log.ts'
import type { BackingRef } from '../database/unused.ts'
import { isBacking } from './backing-row.ts'
import { childrenFirst } from './children-first.ts'
import type { CommitsUnderWay } from './commits-under-way.ts'
import type { RemovalsUnderWay } from './removals-under-way.ts'
import type { Snapshotters } from './snapshotters.ts'

interface RemovalParts {
  readonly snapshotters: Snapshotters
  readonly commits: CommitsUnderWay
  readonly removals: RemovalsUnderWay
  readonly ledger: Ledger
  readonly log: Log
}

/** For how long, in milliseconds, a snapshotter of another process is left alone that has not answered. */
const awayFor = 60_000

/** For how long, in milliseconds, a snapshot is looked for that a call may still make which was given up. */
const awaitedFor = 3_600_000

/** Most snapshots of a snapshotter that are looked for; for more of them, all that it has are looked at. */
const mostAwaited = 1000

/**
 * Removes from the snapshotters what no namespace needs. A snapshot that no namespace has never gets one again, so what
 * is found to be unused stays so while it is removed. A snapshotter of another process that does not answer is asked
 * again a minute later, so that it does not hold up the others.
 */
export class SnapshotRemoval {
  readonly #parts: RemovalParts
  readonly #unused = new Map<string, Set<string>>()
  /** The snapshotters in which nothing has been searched for yet. */
  readonly #unsearched: Set<string>
  /** Until when, by the clock of `performance.now`, those that did not answer are left alone. */
  readonly #away = new Map<string, number>()

  /** Until when each snapshot is looked for that may still come, by its snapshotter and key. */
  readonly #awaited = new Map<string, Map<string, number>>()

  constructor(parts: RemovalParts) {
    this.#parts = parts
    this.#unsearched = new Set(parts.snapshotters.keys())
  }

  /** Whether something waits to be removed, or to be looked for. */
  get pending(): boolean {
    return this.#unused.size > 0 || this.#unsearched.size > 0
  }

  /**
   * Names a snapshot that may be unused. If its snapshotter is not loaded, `findOrphans` finds it once it is.
   * @param options.mayCome whether it may come later, so that it is looked for again if it is not there
   */
  add({ snapshotter, key }: BackingRef, { mayCome = false }: { mayCome?: boolean | undefined } = {}): void {
    if (!this.#parts.snapshotters.has(snapshotter)) return
    if (mayCome) this.#await({ snapshotter, key })
    const keys = this.#unused.get(snapshotter) ?? new Set()
    this.#unused.set(snapshotter, keys.add(key))
  }

  /** Finds what an earlier process has left between two steps, in the snapshotters that have not been searched yet. */
  async findOrphans(): Promise<void> {
    for (const snapshotter of [...this.#unsearched]) {
      if (this.#isAway(snapshotter)) continue
      try {
        await this.findOrphansOf(snapshotter)
        this.#unsearched.delete(snapshotter)
      } catch (error) {
        if (!this.#noteAway(snapshotter, error)) throw error
        this.#parts.log.warn({ err: error, snapshotter }, 'searching for snapshots that nothing uses')
      }
    }
  }

  /** The same for one snapshotter, also once more. @throws the errors of its list */
  async findOrphansOf(snapshotter: string): Promise<void> {
    for await (const { name: key } of this.#parts.snapshotters.get(snapshotter)?.list() ?? [])
      if (!this.#isUsed({ snapshotter, key })) this.add({ snapshotter, key })
    this.#away.delete(snapshotter)
  }

  /**
   * Removes named snapshots that are unused, once that is durable in the database. Those that cannot be removed now
   * stay named.
   * @returns how many were removed
   */
  async run(): Promise<number> {
    const unused = [...this.#unused]
    this.#unused.clear()
    let all = 0
    for (const [snapshotter, keys] of unused) {
      const backend = this.#parts.snapshotters.get(snapshotter)
      if (backend === undefined) continue
      let count = 0
      for (const key of childrenFirst(await this.#parents(snapshotter, backend, keys)))
        if (await this.#remove({ snapshotter, key }, () => backend.remove(key))) count++
      if (count > 0 && isForeign(backend)) await this.#cleanUp(snapshotter, backend)
      all += count
    }
    return all
  }

  /** The parents of all existing snapshots. */
  async #parents(
    snapshotter: string,
    backend: Snapshotter,
    keys: Iterable<string>,
  ): Promise<Map<string, string | undefined>> {
    const parents = new Map<string, string | undefined>()
    for (const key of keys) {
      if (this.#isAway(snapshotter)) this.add({ snapshotter, key })
      else
        await this.#attempt({ snapshotter, key }, async () => {
          parents.set(key, (await backend.stat(key)).parent)
        })
    }
    return parents
  }

  async #remove(snapshot: BackingRef, remove: () => Promise<void>): Promise<boolean> {
    if (this.#isUsed(snapshot)) return false
    if (this.#isAway(snapshot.snapshotter)) {
      this.add(snapshot)
      return false
    }
    using _ = this.#parts.removals.begin(snapshot)
    // It has come.
    this.#awaited.get(snapshot.snapshotter)?.delete(snapshot.key)
    return await this.#attempt(snapshot, remove)
  }

  async #attempt(snapshot: BackingRef, body: () => Promise<void>): Promise<boolean> {
    try {
      await body()
      return true
    } catch (error) {
      if (isNotFound(error)) {
        if (this.#isAwaited(snapshot)) this.add(snapshot)
        return false
      }
      this.#noteAway(snapshot.snapshotter, error)
      this.#parts.log.warn({ err: error, ...snapshot }, 'removing an unused snapshot')
      this.add(snapshot)
      return false
    }
  }

  /** Some only note what is removed, and remove its files when they are asked to clean up (docs/behaviour.md §6). */
  async #cleanUp(snapshotter: string, backend: Snapshotter): Promise<void> {
    try {
      await backend.cleanup()
    } catch (error) {
      if (isUnimplemented(error)) return
      this.#noteAway(snapshotter, error)
      this.#parts.log.warn({ err: error, snapshotter }, 'cleaning up a snapshotter')
    }
  }

  #await({ snapshotter, key }: BackingRef): void {
    const keys = this.#awaited.get(snapshotter) ?? new Map<string, number>()
    if (keys.size < mostAwaited) this.#awaited.set(snapshotter, keys.set(key, performance.now() + awaitedFor))
    else this.#unsearched.add(snapshotter)
  }

  #isAwaited({ snapshotter, key }: BackingRef): boolean {
    const keys = this.#awaited.get(snapshotter)
    if ((keys?.get(key) ?? 0) > performance.now()) return true
    keys?.delete(key)
    return false
  }

  #isAway(snapshotter: string): boolean {
    return (this.#away.get(snapshotter) ?? 0) > performance.now()
  }

  /** @returns whether the error says that a snapshotter of another process does not answer */
  #noteAway(snapshotter: string, error: unknown): boolean {
    const backend = this.#parts.snapshotters.get(snapshotter)
    if (backend === undefined || !isForeign(backend)) return false
    if (!isUnavailable(error) && !isDeadlineExceeded(error)) return false
    this.#away.set(snapshotter, performance.now() + awayFor)
    return true
  }

  #isUsed(snapshot: BackingRef): boolean {
    const { ledger, commits } = this.#parts
    return ledger.peek((db) => isBacking(db, snapshot)) || commits.isPublished(snapshot)
  }
}
