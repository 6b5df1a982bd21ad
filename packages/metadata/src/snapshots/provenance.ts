import { type Digest, nextChainId } from '@nsbox/oci'
import type { Reader, Transaction } from '@nsbox/sqlite'
import type { SnapshotParts } from './snapshot-parts.ts'
import type { SnapshotRow } from './snapshot-row.ts'

/**
 * Says that anybody may write to backings: what they have or are going to have is nobody else's from now on. Resolves
 * when it may be begun, which is at once for fresh ones, and otherwise once the disk has it.
 */
export async function letAnybodyWrite(
  { ledger, fresh }: Pick<SnapshotParts, 'ledger' | 'fresh'>,
  backings: readonly number[],
): Promise<void> {
  const known = backings.filter((id) => !fresh.forget(id))
  if (known.length === 0) return
  // Asked for now: a layer may have been applied since the caller looked.
  const proven = ledger.peek((db) => provenAmong(db, known))
  if (proven.length > 0) ledger.note((tx) => makePrivate(tx, proven))
  // What others have noted just now too.
  await ledger.durable()
}

/** Those of which it is noted that nobody but the server has written to them. */
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

/** What the server has applied. */
interface Applied {
  readonly diffId: Digest
  /** Whether a parent may be given at commit. */
  readonly late: boolean
  readonly implied: readonly string[]
}

/** Notes that a layer, and nothing else, has been applied to a backing. */
export function noteApplied(tx: Transaction, backing: number, { diffId, late, implied }: Applied): void {
  tx.run(
    "UPDATE backing SET provenance = 'applied', diff_id = ?, late = ?, implied = ? WHERE id = ?",
    ...[diffId, late ? 1 : 0, JSON.stringify(implied), backing],
  )
}

/**
 * The directories that the one layer of a snapshot implied, if it was written without the parents that the commit gives
 * it, and nobody has touched it since.
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
  /** Whether it gets its parent only now. */
  readonly rebased: boolean
}

/**
 * The chain id of a snapshot that any namespace may have: exactly one layer was applied to it, by the server, on a
 * parent that any namespace may have too, nobody else could write to it, and its name is the chain id that follows
 * (docs/threat-model.md D23). Undefined for all others: names are chosen by clients, and prove nothing.
 */
export function provenChainId(db: Reader, { backing, name, parent, rebased }: Committed): Digest | undefined {
  const row = db.get<{ diff_id: Digest; late: 0 | 1 }>(
    "SELECT diff_id, late FROM backing WHERE id = ? AND provenance = 'applied'",
    backing,
  )
  // Removals that were carried out where there was nothing to remove are lost, and those that are written down where
  // there will never be anything are files.
  if (row === undefined || (rebased && row.late === 0)) return undefined
  if (parent === undefined && row.late === 1) return undefined
  if (parent?.chain_id === null) return undefined
  const chainId = nextChainId(parent?.chain_id, row.diff_id)
  return chainId === name ? chainId : undefined
}
