import type { Labels } from '@nsbox/core/labels'
import type { SnapshotInfo, SnapshotKind, SnapshotUsage } from '@nsbox/core/snapshots'
import { NsboxError } from '@nsbox/errors'
import type { Reader, Transaction } from '@nsbox/sqlite'
import { Timestamp } from '@nsbox/time'

/** A row of the database. */
export interface SnapshotRow {
  readonly id: number
  readonly name: string
  readonly kind: SnapshotKind
  readonly parent: number | null
  readonly parentName: string | null
  readonly labels: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly size: number | null
  readonly inodes: number | null
}

const select = `
  SELECT s.id, s.name, s.kind, s.parent, p.name AS parentName, s.labels, s.created_at AS createdAt,
    s.updated_at AS updatedAt, s.size, s.inodes
  FROM snapshot s LEFT JOIN snapshot p ON p.id = s.parent`

export function findSnapshot(db: Reader, name: string): SnapshotRow | undefined {
  return db.get<SnapshotRow>(`${select} WHERE s.name = ?`, name)
}

/** @throws `not_found` */
export function getSnapshot(db: Reader, name: string): SnapshotRow {
  const row = findSnapshot(db, name)
  if (row === undefined) throw new NsboxError('not_found', `snapshot ${name} does not exist`)
  return row
}

/** @throws `not_found`; `invalid_argument` if it is not committed */
export function getParent(db: Reader, name: string): SnapshotRow {
  const row = findSnapshot(db, name)
  if (row === undefined) throw new NsboxError('not_found', `parent snapshot ${name} does not exist`)
  if (row.kind !== 'committed')
    throw new NsboxError('invalid_argument', `parent ${JSON.stringify(name)} is not committed snapshot`)
  return row
}

/** At most `limit` snapshots whose names follow `after`, in the order of their bytes. */
export function snapshotsAfter(db: Reader, after: string, limit: number): SnapshotRow[] {
  return db.all<SnapshotRow>(`${select} WHERE s.name > ? ORDER BY s.name LIMIT ?`, after, limit)
}

/** The ids of a snapshot and its parents, itself first. */
export function chainOf(db: Reader, id: number | null): number[] {
  return db
    .rows<[number]>(
      `WITH RECURSIVE chain (id, parent, depth) AS (
        SELECT id, parent, 0 FROM snapshot WHERE id = ?
        UNION ALL
        SELECT s.id, s.parent, depth + 1 FROM snapshot s JOIN chain ON s.id = chain.parent
      )
      SELECT id FROM chain ORDER BY depth`,
      id,
    )
    .map(([link]) => link)
}

export function snapshotExists(db: Reader, id: number): boolean {
  return db.get('SELECT 1 FROM snapshot WHERE id = ?', id) !== undefined
}

export function isCommitted(db: Reader, id: number): boolean {
  return db.get("SELECT 1 FROM snapshot WHERE id = ? AND kind = 'committed'", id) !== undefined
}

/** The snapshots that are not committed. */
export function uncommitted(
  db: Reader,
): { readonly id: number; readonly kind: 'active' | 'view'; readonly parent: number | null }[] {
  return db.all("SELECT id, kind, parent FROM snapshot WHERE kind <> 'committed'")
}

export function lastId(db: Reader): number {
  return db.get<{ id: number }>('SELECT coalesce(max(id), 0) AS id FROM snapshot')?.id ?? 0
}

/** Adds an active snapshot or a view. */
export function insertSnapshot(
  tx: Transaction,
  row: Pick<SnapshotRow, 'id' | 'name' | 'kind' | 'parent'> & { labels: Labels; now: Timestamp },
): void {
  const { id, name, kind, parent, labels, now } = row
  tx.run(
    'INSERT INTO snapshot (id, name, kind, parent, labels, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ...[id, name, kind, parent, JSON.stringify(labels), now.epochMicroseconds, now.epochMicroseconds],
  )
}

/** Makes an active snapshot a committed one. */
export function commitSnapshot(
  tx: Transaction,
  row: Pick<SnapshotRow, 'id' | 'name' | 'parent'> & { labels: Labels; now: Timestamp },
): void {
  const { id, name, parent, labels, now } = row
  tx.run(
    `UPDATE snapshot SET name = ?, kind = 'committed', parent = ?, labels = ?, created_at = ?, updated_at = ?
    WHERE id = ?`,
    ...[name, parent, JSON.stringify(labels), now.epochMicroseconds, now.epochMicroseconds, id],
  )
}

export function setLabels(tx: Transaction, id: number, labels: Labels, updatedAt: Timestamp): void {
  tx.run(
    'UPDATE snapshot SET labels = ?, updated_at = ? WHERE id = ?',
    ...[JSON.stringify(labels), updatedAt.epochMicroseconds, id],
  )
}

export function setUsage(tx: Transaction, id: number, { size, inodes }: SnapshotUsage): void {
  tx.run('UPDATE snapshot SET size = ?, inodes = ? WHERE id = ?', size, inodes, id)
}

/** @throws `failed_precondition` while it has children */
export function deleteSnapshot(tx: Transaction, id: number): void {
  if (tx.get('SELECT 1 FROM snapshot WHERE parent = ? LIMIT 1', id) !== undefined)
    throw new NsboxError('failed_precondition', 'cannot remove snapshot with child')
  tx.run('DELETE FROM snapshot WHERE id = ?', id)
}

export function labelsOf(row: Pick<SnapshotRow, 'labels'>): Labels {
  return JSON.parse(row.labels) as Labels
}

export function infoOf(row: SnapshotRow): SnapshotInfo {
  return {
    name: row.name,
    kind: row.kind,
    parent: row.parentName ?? undefined,
    labels: labelsOf(row),
    createdAt: Timestamp.fromEpochMicroseconds(row.createdAt),
    updatedAt: Timestamp.fromEpochMicroseconds(row.updatedAt),
  }
}
