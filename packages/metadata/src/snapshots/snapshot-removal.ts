import type { Snapshotter } from '@nsbox/core/snapshots'
import { isNotFound } from '@nsbox/errors'
import type { Ledger } from '../database/ledger.ts'
import type { Log } from '../database/log.ts'
import type { BackingRef } from '../database/unused.ts'
import { isBacking } from './backing-row.ts'
import { childrenFirst } from './children-first.ts'
import type { CommitsUnderWay } from './commits-under-way.ts'
import type { Snapshotters } from './snapshotters.ts'

interface RemovalParts {
  readonly snapshotters: Snapshotters
  readonly commits: CommitsUnderWay
  readonly ledger: Ledger
  readonly log: Log
}

/**
 * Removes from the snapshotters what no namespace needs. A snapshot that no namespace has never gets one again, so what
 * is found to be unused stays so while it is removed.
 */
export class SnapshotRemoval {
  readonly #parts: RemovalParts
  readonly #unused = new Map<string, Set<string>>()

  constructor(parts: RemovalParts) {
    this.#parts = parts
  }

  /** Whether something waits to be removed. */
  get pending(): boolean {
    return this.#unused.size > 0
  }

  /** Names a snapshot that may be unused. If its snapshotter is not loaded, `findOrphans` finds it once it is. */
  add({ snapshotter, key }: BackingRef): void {
    if (!this.#parts.snapshotters.has(snapshotter)) return
    const keys = this.#unused.get(snapshotter) ?? new Set()
    this.#unused.set(snapshotter, keys.add(key))
  }

  /** Finds what an earlier process has left in the snapshotters between two steps. */
  async findOrphans(): Promise<void> {
    for (const [snapshotter, backend] of this.#parts.snapshotters) {
      for await (const { name: key } of backend.list())
        if (!this.#isUsed({ snapshotter, key })) this.add({ snapshotter, key })
    }
  }

  /**
   * Removes named snapshots that are unused, once that is durable in the database. Those that cannot be removed now
   * stay named.
   * @returns how many were removed
   */
  async run(): Promise<number> {
    const unused = [...this.#unused]
    this.#unused.clear()
    let count = 0
    for (const [snapshotter, keys] of unused) {
      const backend = this.#parts.snapshotters.get(snapshotter)
      if (backend === undefined) continue
      for (const key of childrenFirst(await this.#parents(snapshotter, backend, keys)))
        if (await this.#remove({ snapshotter, key }, () => backend.remove(key))) count++
    }
    return count
  }

  /** The parents of all existing snapshots. */
  async #parents(
    snapshotter: string,
    backend: Snapshotter,
    keys: Iterable<string>,
  ): Promise<Map<string, string | undefined>> {
    const parents = new Map<string, string | undefined>()
    for (const key of keys) {
      await this.#attempt({ snapshotter, key }, async () => {
        parents.set(key, (await backend.stat(key)).parent)
      })
    }
    return parents
  }

  async #remove(snapshot: BackingRef, remove: () => Promise<void>): Promise<boolean> {
    if (this.#isUsed(snapshot)) return false
    return await this.#attempt(snapshot, remove)
  }

  async #attempt(snapshot: BackingRef, body: () => Promise<void>): Promise<boolean> {
    try {
      await body()
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      this.#parts.log.warn({ err: error, ...snapshot }, 'removing a snapshot that nothing uses')
      this.add(snapshot)
      return false
    }
  }

  #isUsed(snapshot: BackingRef): boolean {
    const { ledger, commits } = this.#parts
    return ledger.peek((db) => isBacking(db, snapshot)) || commits.isPublished(snapshot)
  }
}
