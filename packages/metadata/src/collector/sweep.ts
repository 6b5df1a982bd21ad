import { shouldYield } from '@nsbox/concurrency'
import type { Digest } from '@nsbox/oci'
import { dropBlob, findBlob } from '../content/blob-row.ts'
import { dropIngest, findIngest, leftBy } from '../content/ingest-row.ts'
import type { Ledger, Write } from '../database/ledger.ts'
import { dropReferences } from '../database/references.ts'
import type { Unused } from '../database/unused.ts'
import type { BackingsInUse } from '../snapshots/backings-in-use.ts'
import { childOf, dropSnapshot, findSnapshot } from '../snapshots/snapshot-row.ts'
import type { Garbage, Marking } from './marking.ts'

/** Most rows that one transaction removes; it also ends with the turn of the event loop. */
const batch = 500

/** A removed object, and what it leaves in the backends. */
interface Swept {
  readonly kind: Garbage['kind']
  readonly unused: Unused
}

/**
 * Removes garbage from a namespace, as much as fits into one transaction and one turn of the event loop. Between the
 * check that nothing is left to follow and the removal, no other code runs that could keep an object.
 *
 * @returns what was removed; undefined if there is something to follow first
 */
export function sweep(ledger: Ledger, marking: Marking, inUse: BackingsInUse): readonly Swept[] | undefined {
  const { namespace } = marking
  const found = marking.garbage()
  if (found === undefined || !marking.hasGarbage) return found && []
  return ledger.commit(namespace, (tx) => {
    const swept: Swept[] = []
    for (const garbage of found) {
      const unused = remove(tx, { marking, inUse }, garbage)
      if (unused !== undefined) swept.push({ kind: garbage.kind, unused })
      if (swept.length >= batch || shouldYield()) break
    }
    return swept
  })
}

/** @returns what it leaves; undefined if it is not removed, or was removed meanwhile */
function remove(
  tx: Write,
  { marking, inUse }: { readonly marking: Marking; readonly inUse: BackingsInUse },
  garbage: Garbage,
): Unused | undefined {
  const { namespace } = marking
  const { kind, id } = garbage
  switch (kind) {
    case 'content': {
      const digest = id as Digest
      if (findBlob(tx, namespace, digest) === undefined) return undefined
      dropBlob(tx, namespace, digest)
      return { blob: digest }
    }
    case 'image':
      if (!drop(tx, 'DELETE FROM image WHERE namespace = ? AND name = ?', namespace, garbage))
        return undefined
      tx.emit({ topic: '/images/delete', payload: { name: id } })
      return {}
    case 'lease':
      return drop(tx, 'DELETE FROM lease WHERE namespace = ? AND id = ?', namespace, garbage) ? {} : undefined
    case 'ingest': {
      const ingest = findIngest(tx, namespace, id)
      if (ingest === undefined) return undefined
      dropIngest(tx, ingest)
      return leftBy(ingest)
    }
    default: {
      const scope = { namespace, snapshotter: kind.slice('snapshot/'.length) }
      const child = childOf(tx, scope, id)
      // The child is garbage as well.
      if (child !== undefined) {
        marking.takeBefore(garbage, { kind, id: child })
        return undefined
      }
      const row = findSnapshot(tx, scope, id)
      if (row === undefined) return undefined
      tx.emit({ topic: '/snapshot/remove', payload: { key: id, snapshotter: scope.snapshotter } })
      return dropSnapshot(tx, inUse, scope, row)
    }
  }
}

/** @returns whether it existed */
function drop(tx: Write, sql: string, namespace: string, garbage: Garbage): boolean {
  const { changes } = tx.run(sql, namespace, garbage.id)
  if (changes > 0) dropReferences(tx, namespace, garbage)
  return changes > 0
}

/** Namespaces in which something has expired. */
export function namespacesWithExpired(ledger: Ledger, now: number): string[] {
  return ledger
    .peek((db) =>
      db.all<{ namespace: string }>(
        `SELECT namespace FROM image WHERE expires_at <= ? UNION SELECT namespace FROM lease WHERE expires_at <= ?
         UNION SELECT namespace FROM ingest WHERE expires_at <= ?`,
        now,
        now,
        now,
      ),
    )
    .map(({ namespace }) => namespace)
}

/** The time of the next expiry, if there is one. */
export function nextExpiry(ledger: Ledger, now: number): number | undefined {
  const row = ledger.peek((db) =>
    db.get<{ at: number | null }>(
      `SELECT min(at) AS at FROM (
         SELECT min(expires_at) AS at FROM image WHERE expires_at > ? UNION ALL
         SELECT min(expires_at) FROM lease WHERE expires_at > ? UNION ALL
         SELECT min(expires_at) FROM ingest WHERE expires_at > ?)`,
      now,
      now,
      now,
    ),
  )
  return row?.at ?? undefined
}
