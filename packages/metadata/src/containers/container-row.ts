import type { Container } from '@nsbox/core/containers'
import type { Reader, Transaction } from '@nsbox/sqlite'
import { Timestamp } from '@nsbox/time'
import type { Write } from '../database/ledger.ts'
import type { Listing } from '../database/listing.ts'
import type { Node } from '../database/node.ts'
import {
  dropReferences,
  labelReferences,
  noReferences,
  type References,
  setReferences,
} from '../database/references.ts'
import { decodeLabels, encodeLabels } from '../database/stored-labels.ts'
import {
  addExtensions,
  type ExtendedRow,
  extendedColumn,
  findExtensions,
  opaqueValue,
} from '../objects/opaque-rows.ts'

interface ContainerRow extends ExtendedRow {
  readonly id: string
  readonly image: string
  readonly runtime: string
  readonly options_type: string | null
  readonly options: Uint8Array | null
  readonly spec_type: string
  readonly spec: Uint8Array
  readonly snapshotter: string
  readonly snapshot_key: string
  readonly sandbox: string
  readonly labels: string
  readonly created_at: number
  readonly updated_at: number
}

const columns = `id, image, runtime, options_type, options, spec_type, spec, snapshotter, snapshot_key, sandbox, labels,
  created_at, updated_at`

const node = (id: string): Node => ({ kind: 'container', id })

export function findContainer(db: Reader, namespace: string, id: string): Container | undefined {
  const row = db.get<ContainerRow>(
    `SELECT ${columns}, ${extendedColumn('container')} FROM container WHERE namespace = ? AND id = ?`,
    namespace,
    id,
  )
  if (row === undefined) return undefined
  const options = opaqueValue(row.options_type, row.options)
  return {
    id,
    labels: decodeLabels(row.labels),
    image: row.image,
    runtime: { name: row.runtime, ...(options && { options }) },
    spec: { typeUrl: row.spec_type, value: row.spec },
    snapshotter: row.snapshotter,
    snapshotKey: row.snapshot_key,
    extensions: findExtensions(db, 'container', row, { namespace, id }),
    sandbox: row.sandbox,
    createdAt: Timestamp.fromEpochMicroseconds(row.created_at),
    updatedAt: Timestamp.fromEpochMicroseconds(row.updated_at),
  }
}

/** Writes a container and its references. @param before the container as it is, unless it is new */
export function writeContainer(
  tx: Write,
  namespace: string,
  container: Container,
  before: Container | undefined,
): void {
  const { id, runtime, spec, snapshotter, snapshotKey, labels } = container
  if (before !== undefined) dropRow(tx, namespace, id)
  tx.run(
    `INSERT INTO container (namespace, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    namespace,
    id,
    container.image,
    runtime.name,
    runtime.options?.typeUrl ?? null,
    runtime.options?.value ?? null,
    spec.typeUrl,
    spec.value,
    snapshotter,
    snapshotKey,
    container.sandbox,
    encodeLabels(labels),
    container.createdAt.epochMicroseconds,
    container.updatedAt.epochMicroseconds,
  )
  addExtensions(tx, 'container', namespace, container)
  const referencesBefore = before === undefined ? noReferences : referencesOf(before)
  setReferences(tx, namespace, node(id), referencesOf(container), referencesBefore)
}

function referencesOf({ snapshotter, snapshotKey, labels }: Container): References {
  const { to, from } = labelReferences(labels)
  const rootfs: Node[] = snapshotKey === '' ? [] : [{ kind: `snapshot/${snapshotter}`, id: snapshotKey }]
  return { to: [...rootfs, ...to], from }
}

/** Only the fields for filters: a spec may be large, and most listings look for one container. */
export interface ContainerFields {
  readonly id: string
  readonly image: string
  readonly runtime: string
  readonly labels: string
}

/** The fields for filters of a namespace's containers, in the order of their ids. */
export const containerFieldsOf = (namespace: string): Listing<ContainerFields> => ({
  after: (db, id, enough) =>
    db.upTo(
      'SELECT id, image, runtime, labels FROM container WHERE namespace = ? AND id > ? ORDER BY id',
      enough,
      namespace,
      id,
    ),
  key: ({ id }) => id,
  size: ({ image, labels }) => image.length + labels.length,
})

/** Removes a container. @returns whether it was there */
export function dropContainer(tx: Transaction, namespace: string, id: string): boolean {
  const wasThere = dropRow(tx, namespace, id)
  if (wasThere) dropReferences(tx, namespace, node(id))
  return wasThere
}

/** Its extensions are deleted with it. */
function dropRow(tx: Transaction, namespace: string, id: string): boolean {
  return tx.run('DELETE FROM container WHERE namespace = ? AND id = ?', namespace, id).changes > 0
}
