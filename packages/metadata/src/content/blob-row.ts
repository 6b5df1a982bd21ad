import type { ContentInfo } from '@nsbox/core/content'
import type { Labels } from '@nsbox/core/labels'
import { NsboxError } from '@nsbox/errors'
import { type Digest, labelKeys } from '@nsbox/oci'
import type { Reader, Transaction } from '@nsbox/sqlite'
import { Timestamp } from '@nsbox/time'
import type { Write } from '../database/ledger.ts'
import type { Listing } from '../database/listing.ts'
import type { Node } from '../database/node.ts'
import { dropReferences, labelReferences, noReferences, setReferences } from '../database/references.ts'
import { decodeLabels, encodeLabels } from '../database/stored-labels.ts'

interface BlobRow {
  digest: Digest
  size: number
  labels: string
  created_at: number
  updated_at: number
}

const columns = 'digest, size, labels, created_at, updated_at'

export const blobFromRow = (row: BlobRow): ContentInfo => ({
  digest: row.digest,
  size: row.size,
  createdAt: Timestamp.fromEpochMicroseconds(row.created_at),
  updatedAt: Timestamp.fromEpochMicroseconds(row.updated_at),
  labels: decodeLabels(row.labels),
})

export function findBlob(db: Reader, namespace: string, digest: Digest): ContentInfo | undefined {
  const row = db.get<BlobRow>(
    `SELECT ${columns} FROM content WHERE namespace = ? AND digest = ?`,
    namespace,
    digest,
  )
  return row && blobFromRow(row)
}

/** @throws `not_found` */
export function demandBlob(db: Reader, namespace: string, digest: Digest): ContentInfo {
  const info = findBlob(db, namespace, digest)
  if (info === undefined) throw new NsboxError('not_found', `content ${digest}`)
  return info
}

/** The blobs of a namespace in the order of their digests. */
export const blobsOf = (namespace: string): Listing<BlobRow> => ({
  after: (db, digest, enough) =>
    db.upTo(
      `SELECT ${columns} FROM content WHERE namespace = ? AND digest > ? ORDER BY digest`,
      enough,
      namespace,
      digest,
    ),
  key: ({ digest }) => digest,
  size: ({ labels }) => labels.length,
})

/** The namespaces that have the blob. */
export function ownersOf(db: Reader, digest: Digest): string[] {
  return db
    .all<{ namespace: string }>('SELECT namespace FROM content WHERE digest = ?', digest)
    .map(({ namespace }) => namespace)
}

/**
 * Whether a namespace whose label offers its content (docs/behaviour.md §3), and whose policy allows that, has the
 * blob.
 */
export function isOffered(db: Reader, digest: Digest, mayOffer: (namespace: string) => boolean): boolean {
  return db
    .all<{ name: string; labels: string }>(
      'SELECT name, namespace.labels FROM content JOIN namespace ON namespace.name = content.namespace WHERE ' +
        'digest = ?',
      digest,
    )
    .some(({ name, labels }) => {
      return decodeLabels(labels)[labelKeys.namespaceShareable] === 'true' && mayOffer(name)
    })
}

/** Adds a blob and its references, unless it is there. @returns whether it was added */
export function addBlob(tx: Write, namespace: string, info: ContentInfo): boolean {
  const { digest, labels } = info
  const { changes } = tx.run(
    'INSERT OR IGNORE INTO content VALUES (?, ?, ?, ?, ?, ?, ?)',
    namespace,
    digest,
    info.size,
    encodeLabels(labels),
    info.createdAt.epochMicroseconds,
    info.updatedAt.epochMicroseconds,
    isRoot(labels),
  )
  if (changes > 0) setReferences(tx, namespace, blobNode(digest), labelReferences(labels), noReferences)
  return changes > 0
}

/** Changes the labels of a blob, and its references. */
export function changeBlob(tx: Write, namespace: string, before: ContentInfo, after: ContentInfo): void {
  const { digest, labels, updatedAt } = after
  tx.run(
    'UPDATE content SET labels = ?, updated_at = ?, root = ? WHERE namespace = ? AND digest = ?',
    ...[encodeLabels(labels), updatedAt.epochMicroseconds, isRoot(labels), namespace, digest],
  )
  setReferences(tx, namespace, blobNode(digest), labelReferences(labels), labelReferences(before.labels))
}

const isRoot = (labels: Labels) => (Object.hasOwn(labels, labelKeys.gcRoot) ? 1 : 0)

const blobNode = (digest: Digest): Node => ({ kind: 'content', id: digest })

export function dropBlob(tx: Transaction, namespace: string, digest: Digest): void {
  tx.run('DELETE FROM content WHERE namespace = ? AND digest = ?', namespace, digest)
  dropReferences(tx, namespace, blobNode(digest))
}
