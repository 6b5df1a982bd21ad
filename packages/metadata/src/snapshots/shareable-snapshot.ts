import { type Digest, nextChainId } from '@nsbox/oci'
import type { Reader, Transaction } from '@nsbox/sqlite'
import type { SnapshotParts } from './snapshot-parts.ts'
import type { SnapshotRow } from './snapshot-row.ts'

/**
 * Records that others than the server may write to backings, so that they are not shared from now on. Writing may begin
 * when this has resolved: at once for fresh backings, otherwise when it is on disk.
 */
export async function letAnybodyWrite(
  { ledger, fresh }: Pick<SnapshotParts, 'ledger' | 'fresh'>,
  backings: readonly number[],
): Promise<void> {
  const known = backings.filter((id) => !fresh.forget(id))
  if (known.length === 0) return
  // Read now: a layer may have been applied since the caller's read.
  const proven = ledger.peek((db) => provenAmong(db, known))
  if (proven.length > 0) ledger.note((tx) => makePrivate(tx, proven))
  // Another call may just have recorded it.
  await ledger.durable()
}

/** Those that only the server has written to. */
function provenAmong(db: Reader, backings: readonly number[]): number[] {
  const sql = `SELECT id FROM backing WHERE id IN (SELECT value FROM json_each(?))
    AND (provenance <> 'private' OR chain_id IS NOT NULL)`
  return db.all<{ id: number }>(sql, JSON.stringify(backings)).map(({ id }) => id)
}

function makePrivate(tx: Transaction, backings: readonly number[]): void {
  tx.run(
    `UPDATE backing SET provenance = 'private', chain_id = NULL WHERE id IN (SELECT value FROM json_each(?))`,
    JSON.stringify(backings),
  )
}

/** A layer that the server has applied. */
interface Applied {
  readonly diffId: Digest
  /** Whether a parent may be given at commit. */
  readonly late: boolean
  readonly implied: readonly string[]
}

/** Records that one layer, and nothing else, has been applied to a backing. */
export function noteApplied(tx: Transaction, backing: number, { diffId, late, implied }: Applied): void {
  tx.run(
    "UPDATE backing SET provenance = 'applied', diff_id = ?, late = ?, implied = ? WHERE id = ?",
    ...[diffId, late ? 1 : 0, JSON.stringify(implied), backing],
  )
}

/**
 * The implied directories of a snapshot's only layer, if it was written without the parents that the commit gives it,
 * and was not written to since.
 */
export function impliedWithoutParents(db: Reader, backing: number): readonly string[] {
  const row = db.get<{ implied: string }>(
    "SELECT implied FROM backing WHERE id = ? AND provenance = 'applied' AND late = 1",
    backing,
  )
  return row === undefined ? [] : JSON.parse(row.implied)
}

/** A snapshot that is being committed. */
interface Committed {
  readonly backing: number
  readonly name: string
  readonly parent: Pick<SnapshotRow, 'chain_id'> | undefined
  /** Whether it gets its parent at this commit. */
  readonly rebased: boolean
}

/**
 * The chain id of a snapshot that any namespace may share: the server has applied exactly one layer to it, on a parent
 * that any namespace may share too, no other process could write to it, and its name is the resulting chain id
 * (docs/threat-model.md D23). Undefined for all others: clients choose names, so these prove nothing.
 */
export function provenChainId(db: Reader, { backing, name, parent, rebased }: Committed): Digest | undefined {
  const row = db.get<{ diff_id: Digest; late: 0 | 1 }>(
    "SELECT diff_id, late FROM backing WHERE id = ? AND provenance = 'applied'",
    backing,
  )
  // A layer that was written as plain files before it got a parent lacks its removals. Written as a layer of an overlay
  // for a parent that never came, it has files for them that should not exist.
  if (row === undefined || (rebased && row.late === 0)) return undefined
  if (parent === undefined && row.late === 1) return undefined
  if (parent?.chain_id === null) return undefined
  const chainId = nextChainId(parent?.chain_id, row.diff_id)
  return chainId === name ? chainId : undefined
}
