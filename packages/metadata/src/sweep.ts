import type { Digest } from '@nsbox/oci'
import { dropBlob } from './blob-row.ts'
import { findGarbage, type Garbage } from './garbage.ts'
import { dropIngest, findIngest, ingestsOf, leftBy } from './ingest-row.ts'
import type { Ledger, Write } from './ledger.ts'
import { dropReferences } from './references.ts'
import type { BackingsInUse } from './snapshots/backings-in-use.ts'
import type { CommitsUnderWay } from './snapshots/commits-under-way.ts'
import { dropSnapshotTree } from './snapshots/drop-snapshot-tree.ts'
import type { Unused } from './unused.ts'
import type { WriterLocks } from './writer-locks.ts'

/** Most rows that one transaction removes; more take another turn of the event loop, and another look. */
const batch = 500

/** What nothing kept, and what it leaves in the backends. */
interface Swept {
  readonly kind: Garbage['kind']
  readonly unused: Unused
}

/** What is kept although nothing in the database says so. */
interface InUse {
  readonly locks: WriterLocks
  readonly commits: CommitsUnderWay
  readonly inUse: BackingsInUse
}

/**
 * Removes what nothing keeps from a namespace, as far as one transaction goes. Looking and removing are the same
 * transaction: nothing can come to be kept in between, and so nothing has to be looked at twice. It holds the event
 * loop for as long as it takes; that is why it is one namespace and a limited number of rows at a time.
 *
 * @returns what was removed, and whether there may be more
 */
export function sweep(
  ledger: Ledger,
  namespace: string,
  { now, locks, commits, inUse }: { readonly now: number } & InUse,
): { readonly swept: readonly Swept[]; readonly more: boolean } {
  return ledger.commit(namespace, (tx) => {
    const written = ingestsOf(tx, namespace)
      .map(({ ref }) => ref)
      .filter((ref) => locks.has(namespace, ref))
    const committing = commits.backings(namespace)
    const swept: Swept[] = []
    for (const garbage of findGarbage(tx, { namespace, now, written, committing, limit: batch })) {
      if (swept.length === batch) break
      for (const unused of remove(tx, inUse, namespace, garbage, batch - swept.length))
        swept.push({ kind: garbage.kind, unused })
    }
    return { swept, more: swept.length === batch }
  })
}

/** @returns what each row that was removed leaves; of snapshots several may go at once, but no more than `limit` */
function remove(
  tx: Write,
  inUse: BackingsInUse,
  namespace: string,
  { kind, id }: Garbage,
  limit: number,
): Unused[] {
  switch (kind) {
    case 'content': {
      const digest = id as Digest
      dropBlob(tx, namespace, digest)
      return [{ blob: digest }]
    }
    case 'image':
      tx.run('DELETE FROM image WHERE namespace = ? AND name = ?', namespace, id)
      dropReferences(tx, namespace, { kind, id })
      tx.emit({ topic: '/images/delete', payload: { name: id } })
      return [{}]
    case 'lease':
      tx.run('DELETE FROM lease WHERE namespace = ? AND id = ?', namespace, id)
      dropReferences(tx, namespace, { kind, id })
      return [{}]
    case 'ingest': {
      const ingest = findIngest(tx, namespace, id)
      if (ingest === undefined) return []
      dropIngest(tx, ingest)
      return [leftBy(ingest)]
    }
    default: {
      const snapshotter = kind.slice('snapshot/'.length)
      return dropSnapshotTree(tx, inUse, { namespace, snapshotter }, id, limit)
    }
  }
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

/** When the next thing expires, if anything does. */
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
