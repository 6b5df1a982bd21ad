import type { Sandbox } from '@nsbox/core/sandboxes'
import type { Reader, Transaction } from '@nsbox/sqlite'
import { Timestamp } from '@nsbox/time'
import type { Write } from '../database/ledger.ts'
import type { Listing } from '../database/listing.ts'
import type { Node } from '../database/node.ts'
import { dropReferences, labelReferences, setReferences } from '../database/references.ts'
import { decodeLabels, encodeLabels } from '../database/stored-labels.ts'
import { addExtensions, findExtensions, opaqueValue } from '../objects/opaque-rows.ts'

interface SandboxRow {
  readonly runtime: string
  readonly options_type: string | null
  readonly options: Uint8Array | null
  readonly spec_type: string | null
  readonly spec: Uint8Array | null
  readonly sandboxer: string
  readonly labels: string
  readonly created_at: number
  readonly updated_at: number
}

const columns =
  'id, runtime, options_type, options, spec_type, spec, sandboxer, labels, created_at, updated_at'

const node = (id: string): Node => ({ kind: 'sandbox', id })

export function findSandbox(db: Reader, namespace: string, id: string): Sandbox | undefined {
  const row = db.get<SandboxRow>(
    `SELECT ${columns} FROM sandbox WHERE namespace = ? AND id = ?`,
    namespace,
    id,
  )
  if (row === undefined) return undefined
  const options = opaqueValue(row.options_type, row.options)
  return {
    id,
    labels: decodeLabels(row.labels),
    runtime: { name: row.runtime, ...(options && { options }) },
    spec: opaqueValue(row.spec_type, row.spec),
    extensions: findExtensions(db, 'sandbox', namespace, id),
    sandboxer: row.sandboxer,
    createdAt: Timestamp.fromEpochMicroseconds(row.created_at),
    updatedAt: Timestamp.fromEpochMicroseconds(row.updated_at),
  }
}

/** Writes a sandbox, new or changed, and its references. */
export function writeSandbox(tx: Write, namespace: string, sandbox: Sandbox): void {
  const { id, runtime, spec, labels } = sandbox
  dropRow(tx, namespace, id)
  tx.run(
    `INSERT INTO sandbox (namespace, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    namespace,
    id,
    runtime.name,
    runtime.options?.typeUrl ?? null,
    runtime.options?.value ?? null,
    spec?.typeUrl ?? null,
    spec?.value ?? null,
    sandbox.sandboxer,
    encodeLabels(labels),
    sandbox.createdAt.epochMicroseconds,
    sandbox.updatedAt.epochMicroseconds,
  )
  addExtensions(tx, 'sandbox', namespace, sandbox)
  setReferences(tx, namespace, node(id), { to: labelReferences(labels).to })
}

/** Only the fields for filters: a spec may be large. */
export interface SandboxFields {
  readonly id: string
  readonly labels: string
}

/** The fields for filters of a namespace's sandboxes, in the order of their ids. */
export const sandboxFieldsOf = (namespace: string): Listing<SandboxFields> => ({
  after: (db, id, enough) =>
    db.upTo(
      'SELECT id, labels FROM sandbox WHERE namespace = ? AND id > ? ORDER BY id',
      enough,
      namespace,
      id,
    ),
  key: ({ id }) => id,
  size: ({ labels }) => labels.length,
})

export function dropSandbox(tx: Transaction, namespace: string, id: string): void {
  dropRow(tx, namespace, id)
  dropReferences(tx, namespace, node(id))
}

/** Its extensions are deleted with it. */
function dropRow(tx: Transaction, namespace: string, id: string): void {
  tx.run('DELETE FROM sandbox WHERE namespace = ? AND id = ?', namespace, id)
}
