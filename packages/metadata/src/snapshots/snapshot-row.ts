import type { Labels } from '@nsbox/core/labels'
import type { SnapshotInfo, SnapshotKind } from '@nsbox/core/snapshots'
import { NsboxError, quoted, shownName } from '@nsbox/errors'
import { type Digest, labelKeys } from '@nsbox/oci'
import type { Reader, Transaction } from '@nsbox/sqlite'
import { Timestamp } from '@nsbox/time'
import type { BlobIdentity } from '../content/take-over-blobs.ts'
import type { Write } from '../database/ledger.ts'
import type { Listing } from '../database/listing.ts'
import type { Node } from '../database/node.ts'
import { dropReferences, labelReferences, noReferences, setReferences } from '../database/references.ts'
import { decodeLabels, encodeLabels } from '../database/stored-labels.ts'
import type { Unused } from '../database/unused.ts'
import type { Scope } from '../leases/lease-binding.ts'
import { type BackingsInUse, dropUnusedBacking } from './backings-in-use.ts'

/** What is said of the snapshots that a namespace takes over from another. */
export interface AdoptionOptions {
  /**
   * The layers that a snapshot and those below it are made of, by its chain id. The namespace gets them with the
   * snapshots, or neither. By default it gets snapshots alone.
   */
  readonly contentOf?: ((chainId: string) => readonly BlobIdentity[]) | undefined
}

/** The snapshots of one snapshotter in a namespace, as one caller sees them. */
export interface SnapshotScope extends Scope, AdoptionOptions {
  readonly snapshotter: string
}

export interface SnapshotRow {
  readonly name: string
  readonly kind: SnapshotKind
  readonly parent: string | null
  readonly labels: string
  readonly created_at: number
  readonly updated_at: number
  /** The backing's id. */
  readonly backing: number
  /** Its key in the backend. */
  readonly key: string
  /** The backing's chain id, if it may be shared. */
  readonly chain_id: Digest | null
}

const select = `
  SELECT name, kind, snapshot.parent, labels, created_at, updated_at, backing, key, chain_id
  FROM snapshot JOIN backing ON backing.id = backing`

export function snapshotNode({ snapshotter }: SnapshotScope, name: string): Node {
  return { kind: `snapshot/${snapshotter}`, id: name }
}

export function infoFromRow(row: SnapshotRow): SnapshotInfo {
  return {
    name: row.name,
    kind: row.kind,
    parent: row.parent ?? undefined,
    labels: decodeLabels(row.labels),
    createdAt: Timestamp.fromEpochMicroseconds(row.created_at),
    updatedAt: Timestamp.fromEpochMicroseconds(row.updated_at),
  }
}

export function findSnapshot(db: Reader, scope: SnapshotScope, name: string): SnapshotRow | undefined {
  const { namespace, snapshotter } = scope
  return db.get<SnapshotRow>(
    `${select} WHERE namespace = ? AND snapshot.snapshotter = ? AND name = ?`,
    namespace,
    snapshotter,
    name,
  )
}

/** @throws `not_found` */
export function demandSnapshot(db: Reader, scope: SnapshotScope, name: string): SnapshotRow {
  return demanded(findSnapshot(db, scope, name), name)
}

/** What was found under a name. @throws `not_found` */
export function demanded(row: SnapshotRow | undefined, name: string): SnapshotRow {
  if (row === undefined) throw snapshotNotFound(name)
  return row
}

/** Clients of containerd compare this text (docs/behaviour.md §1). */
function snapshotNotFound(name: string): NsboxError {
  return new NsboxError('not_found', `snapshot ${shownName(name)} does not exist`)
}

/** @throws `not_found`; `failed_precondition` for a snapshot that is not active */
export function demandActive(db: Reader, scope: SnapshotScope, key: string): SnapshotRow {
  const row = demandSnapshot(db, scope, key)
  if (row.kind === 'active') return row
  throw new NsboxError('failed_precondition', `snapshot ${shownName(key)} is not active`)
}

/**
 * The parent for a new snapshot.
 * @throws `not_found`; `invalid_argument` for one that is not committed
 */
export function demandParent(db: Reader, scope: SnapshotScope, name: string): SnapshotRow {
  const row = findSnapshot(db, scope, name)
  if (row === undefined)
    throw new NsboxError('not_found', `parent snapshot ${shownName(name)} does not exist`)
  if (row.kind === 'committed') return row
  throw new NsboxError('invalid_argument', `parent ${quoted(name)} is not committed snapshot`)
}

/** The snapshots in the order of the bytes of their names. */
export const snapshotsOf = ({ namespace, snapshotter }: SnapshotScope): Listing<SnapshotRow> => ({
  after: (db, name, enough) =>
    db.upTo(
      `${select} WHERE namespace = ? AND snapshot.snapshotter = ? AND name > ? ORDER BY name`,
      enough,
      namespace,
      snapshotter,
      name,
    ),
  key: ({ name }) => name,
  size: ({ labels }) => labels.length,
})

export function hasChildren(db: Reader, { namespace, snapshotter }: SnapshotScope, name: string): boolean {
  return childOf(db, { namespace, snapshotter }, name) !== undefined
}

/** Any of the snapshots that are based on one. */
export function childOf(
  db: Reader,
  { namespace, snapshotter }: SnapshotScope,
  name: string,
): string | undefined {
  return db.get<{ name: string }>(
    'SELECT name FROM snapshot WHERE namespace = ? AND snapshotter = ? AND parent = ? LIMIT 1',
    namespace,
    snapshotter,
    name,
  )?.name
}

interface NewSnapshot {
  readonly name: string
  readonly kind: SnapshotKind
  readonly parent: string | undefined
  readonly backing: number
  readonly labels: Labels
  readonly now: Timestamp
}

/** Adds a snapshot, whose namespace exists, and its references. */
export function insertSnapshot(
  tx: Write,
  scope: SnapshotScope,
  { name, kind, parent, backing, labels, now }: NewSnapshot,
): void {
  const { namespace, snapshotter } = scope
  tx.run(
    'INSERT INTO snapshot VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ...[namespace, snapshotter, name, kind, parent ?? null, backing, encodeLabels(labels)],
    ...[now.epochMicroseconds, now.epochMicroseconds, isRoot(labels)],
  )
  setReferences(tx, namespace, snapshotNode(scope, name), labelReferences(labels), noReferences)
}

/** Changes the labels of a snapshot. */
export function writeLabels(
  tx: Write,
  scope: SnapshotScope,
  before: SnapshotInfo,
  { name, labels, updatedAt }: SnapshotInfo,
): void {
  const { namespace, snapshotter } = scope
  tx.run(
    `UPDATE snapshot SET labels = ?, updated_at = ?, root = ?
     WHERE namespace = ? AND snapshotter = ? AND name = ?`,
    ...[encodeLabels(labels), updatedAt.epochMicroseconds, isRoot(labels), namespace, snapshotter, name],
  )
  const node = snapshotNode(scope, name)
  setReferences(tx, namespace, node, labelReferences(labels), labelReferences(before.labels))
}

/**
 * Removes a snapshot without children.
 * @returns what the backend can remove: nothing while it is in use
 */
export function dropSnapshot(
  tx: Transaction,
  inUse: BackingsInUse,
  scope: SnapshotScope,
  { name, backing }: Pick<SnapshotRow, 'name' | 'backing'>,
): Unused {
  forgetSnapshot(tx, scope, name)
  // Its parents have rows as long as it has one.
  const [snapshot] = dropUnusedBacking(tx, inUse, backing)
  return { snapshot }
}

/** Removes a snapshot whose backing stays. */
export function forgetSnapshot(tx: Transaction, scope: SnapshotScope, name: string): void {
  const { namespace, snapshotter } = scope
  tx.run(
    'DELETE FROM snapshot WHERE namespace = ? AND snapshotter = ? AND name = ?',
    namespace,
    snapshotter,
    name,
  )
  dropReferences(tx, namespace, snapshotNode(scope, name))
}

const isRoot = (labels: Labels) => (Object.hasOwn(labels, labelKeys.gcRoot) ? 1 : 0)
