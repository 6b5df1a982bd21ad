import { type Digest, nextChainId } from '@nsbox/oci'
import type { Reader, Transaction } from '@nsbox/sqlite'
import type { SnapshotRow } from './snapshot-row.ts'

/** A backing whose files some path leads to. */
export interface BackingAt {
  readonly id: number
  readonly snapshotter: string
  readonly key: string
  readonly directory: string
  readonly committed: 0 | 1
}

/**
 * The backings whose files are written through a directory: that whose directory it is, is in, or those whose
 * directories are in it.
 * @param path without symbolic links
 */
export function backingsAt(db: Reader, path: string): BackingAt[] {
  const components = path.split('/')
  const above = components.map((_, count) => components.slice(0, count + 1).join('/') || '/')
  const prefix = path === '/' ? path : `${path}/`
  const columns = `id, snapshotter, key, directory,
    EXISTS (SELECT 1 FROM snapshot WHERE backing = backing.id AND kind = 'committed') AS committed`
  return db.all<BackingAt>(
    `SELECT ${columns} FROM backing WHERE directory IN (SELECT value FROM json_each(?))
     UNION SELECT ${columns} FROM backing WHERE directory > ? AND directory < ?`,
    JSON.stringify(above),
    prefix,
    // The character after the slash.
    `${prefix.slice(0, -1)}0`,
  )
}

/**
 * Lets nobody else have what a backing has or is going to have: who wrote it is not known any more.
 * @returns whether that has to be on disk before anybody writes; for what was untouched it need not, since no backing is
 * untouched for a later process
 */
export function makePrivate(tx: Transaction, backing: number): boolean {
  const untouched = tx.run(
    "UPDATE backing SET provenance = 'private' WHERE id = ? AND provenance = 'untouched' AND chain_id IS NULL",
    backing,
  )
  if (untouched.changes > 0) return false
  tx.run(
    `UPDATE backing SET provenance = 'private', chain_id = NULL
     WHERE id = ? AND (provenance <> 'private' OR chain_id IS NOT NULL)`,
    backing,
  )
  return true
}

/** Notes that a new backing is empty but for what its parent has. */
export function beginUntouched(tx: Transaction, backing: number): void {
  tx.run("UPDATE backing SET provenance = 'untouched' WHERE id = ?", backing)
}

/**
 * Takes what an earlier process left untouched for something that anybody may have written to: `beginApplying` may have
 * noted otherwise, and a power cut have taken that back.
 */
export function doubtUntouched(tx: Transaction): void {
  tx.run("UPDATE backing SET provenance = 'private' WHERE provenance = 'untouched'")
}

/**
 * Notes that the server is about to apply a layer, for good unless `endApplying` follows. It may begin before that is on
 * disk, since no backing is untouched for a later process.
 * @returns whether it is the first that writes to the backing; if not, `makePrivate` must follow
 */
export function beginApplying(tx: Transaction, backing: number): boolean {
  const { changes } = tx.run(
    "UPDATE backing SET provenance = 'applying' WHERE id = ? AND provenance = 'untouched'",
    backing,
  )
  return changes > 0
}

/** What the server has applied. */
interface Applied {
  readonly diffId: Digest
  /** Whether a parent may be given at commit. */
  readonly late: boolean
  readonly implied: readonly string[]
}

/** Notes that the layer has been applied, unless somebody else wrote meanwhile. */
export function endApplying(tx: Transaction, backing: number, { diffId, late, implied }: Applied): void {
  tx.run(
    `UPDATE backing SET provenance = 'applied', diff_id = ?, late = ?, implied = ?
     WHERE id = ? AND provenance = 'applying'`,
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
 * parent that any namespace may have too, nobody else could write to it, and its name is what follows from that (DESIGN
 * §4). Undefined for all others: names are chosen by clients, and prove nothing.
 */
export function provenChainId(db: Reader, { backing, name, parent, rebased }: Committed): Digest | undefined {
  const row = db.get<{ diff_id: Digest; late: 0 | 1 }>(
    "SELECT diff_id, late FROM backing WHERE id = ? AND provenance = 'applied'",
    backing,
  )
  // Removals that were carried out where there was nothing to remove are lost.
  if (row === undefined || (rebased && row.late === 0)) return undefined
  if (parent?.chain_id === null) return undefined
  const chainId = nextChainId(parent?.chain_id, row.diff_id)
  return chainId === name ? chainId : undefined
}
