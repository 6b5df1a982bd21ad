import type { Digest } from '@nsbox/oci'
import { dropBlob } from './blob-row.ts'
import { findGarbage, type Garbage } from './garbage.ts'
import { dropIngest, findIngest, ingestsOf, leftBy } from './ingest-row.ts'
import type { Ledger, Write } from './ledger.ts'
import { dropReferences } from './references.ts'
import type { Unused } from './unused.ts'
import type { WriterLocks } from './writer-locks.ts'

/** Most rows that one transaction removes; more take another turn of the event loop, and another look. */
const batch = 500

/** What one transaction has removed. */
export interface Swept {
  readonly removed: readonly Garbage[]
  readonly unused: readonly Unused[]
  /** Whether there may be more. */
  readonly more: boolean
}

/**
 * Removes what nothing keeps from a namespace, as far as one transaction goes. Looking and removing are the same
 * transaction: nothing can come to be kept in between, and so nothing has to be looked at twice. It holds the event
 * loop for as long as it takes; that is why it is one namespace and a limited number of rows at a time.
 */
export function sweep(
  ledger: Ledger,
  namespace: string,
  { now, locks }: { readonly now: number; readonly locks: WriterLocks },
): Swept {
  return ledger.commit(namespace, (tx) => {
    const written = ingestsOf(tx, namespace)
      .map(({ ref }) => ref)
      .filter((ref) => locks.has(namespace, ref))
    const removed = findGarbage(tx, { namespace, now, written, limit: batch })
    const unused = removed.map((garbage) => remove(tx, namespace, garbage))
    return { removed, unused, more: removed.length === batch }
  })
}

function remove(tx: Write, namespace: string, { kind, id }: Garbage): Unused {
  switch (kind) {
    case 'content': {
      const digest = id as Digest
      dropBlob(tx, namespace, digest)
      return { blob: digest }
    }
    case 'image':
      tx.run('DELETE FROM image WHERE namespace = ? AND name = ?', namespace, id)
      dropReferences(tx, namespace, { kind, id })
      tx.emit({ topic: '/images/delete', payload: { name: id } })
      return {}
    case 'lease':
      tx.run('DELETE FROM lease WHERE namespace = ? AND id = ?', namespace, id)
      dropReferences(tx, namespace, { kind, id })
      return {}
    case 'ingest': {
      const ingest = findIngest(tx, namespace, id)
      if (ingest === undefined) return {}
      dropIngest(tx, ingest)
      return leftBy(ingest)
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
