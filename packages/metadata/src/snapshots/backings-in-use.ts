import type { Reader, Transaction } from '@nsbox/sqlite'
import type { BackingRef } from '../database/unused.ts'
import { dropBacking } from './backing-row.ts'

/** The result of one use; plain data. */
export interface UseRecord {
  /** Ids of the backings whose files it leads to. */
  readonly backings: readonly number[]
  /** Directories that it can write to and in which snapshots may be made; without symbolic links. */
  readonly writable: readonly string[]
}

/**
 * The backings that tasks use, whose files stay until the tasks end, even without rows; and the directories in which
 * tasks can write to new snapshots. In memory only: for tasks that outlive this process, uses are announced again to
 * the next one.
 */
export class BackingsInUse {
  readonly #backings = new Counts<number>()
  readonly #writable = new Counts<string>()

  /** Adds a use until the returned function is called; idempotent. */
  add({ backings, writable }: UseRecord): () => void {
    for (const id of backings) this.#backings.add(id)
    for (const path of writable) this.#writable.add(path)
    let ended = false
    return () => {
      if (ended) return
      ended = true
      for (const id of backings) this.#backings.remove(id)
      for (const path of writable) this.#writable.remove(path)
    }
  }

  has(backing: number): boolean {
    return this.#backings.has(backing)
  }

  all(): number[] {
    return this.#backings.all()
  }

  /** Whether a use can write to snapshots that are made in a directory. */
  canWrite(directory: string): boolean {
    if (this.#writable.isEmpty) return false
    for (let end = directory.length; end > 0; end = directory.lastIndexOf('/', end - 1))
      if (this.#writable.has(directory.slice(0, end))) return true
    return this.#writable.has('/')
  }
}

/**
 * Drops a backing that no namespace has any more, unless it is used or has children; and its parents that were kept
 * only for it.
 * @returns what the backend can remove
 */
export function dropUnusedBacking(tx: Transaction, inUse: BackingsInUse, id: number): BackingRef[] {
  const dropped: BackingRef[] = []
  for (let next: number | null = id; next !== null; ) {
    const row: (BackingRef & { parent: number | null }) | undefined = isNeeded(tx, inUse, next)
      ? undefined
      : tx.get('SELECT snapshotter, key, parent FROM backing WHERE id = ?', next)
    if (row === undefined) break
    dropBacking(tx, next)
    dropped.push({ snapshotter: row.snapshotter, key: row.key })
    next = row.parent
  }
  return dropped
}

function isNeeded(db: Reader, inUse: BackingsInUse, id: number): boolean {
  if (inUse.has(id)) return true
  const sql = `SELECT 1 FROM snapshot WHERE backing = ? UNION ALL SELECT 1 FROM backing WHERE parent = ? LIMIT 1`
  return db.get(sql, id, id) !== undefined
}

/** Those of some backings that no namespace has. */
export function withoutRows(db: Reader, backings: readonly number[]): number[] {
  const sql = `SELECT id FROM backing WHERE id IN (SELECT value FROM json_each(?))
    AND NOT EXISTS (SELECT 1 FROM snapshot WHERE backing = backing.id)`
  return db.all<{ id: number }>(sql, JSON.stringify(backings)).map(({ id }) => id)
}

/** Drops backings that an earlier process was making when it died, and those that it kept for uses that have ended. */
export function dropUnfinishedBackings(tx: Transaction, inUse: BackingsInUse): void {
  const left = `NOT EXISTS (SELECT 1 FROM snapshot WHERE backing = backing.id) AND id NOT IN (
    WITH RECURSIVE kept (id) AS (
      SELECT value FROM json_each(?)
      UNION SELECT backing.parent FROM kept JOIN backing ON backing.id = kept.id WHERE backing.parent IS NOT NULL
    )
    SELECT id FROM kept)`
  const used = JSON.stringify(inUse.all())
  // Each keeps its parent, so they are separated first.
  tx.run(`UPDATE backing SET parent = NULL WHERE parent IS NOT NULL AND ${left}`, used)
  tx.run(`DELETE FROM backing WHERE ${left}`, used)
}

class Counts<Key> {
  readonly #counts = new Map<Key, number>()

  get isEmpty(): boolean {
    return this.#counts.size === 0
  }

  has(key: Key): boolean {
    return this.#counts.has(key)
  }

  all(): Key[] {
    return [...this.#counts.keys()]
  }

  add(key: Key): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  remove(key: Key): void {
    const left = (this.#counts.get(key) ?? 0) - 1
    if (left > 0) this.#counts.set(key, left)
    else this.#counts.delete(key)
  }
}
