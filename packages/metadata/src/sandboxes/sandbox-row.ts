import type { Sandbox } from '@nsbox/core/sandboxes'
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

interface SandboxRow extends ExtendedRow {
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
    `SELECT ${columns}, ${extendedColumn('sandbox')} FROM sandbox WHERE namespace = ? AND id = ?`,
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
    extensions: findExtensions(db, 'sandbox', row, { namespace, id }),
    sandboxer: row.sandboxer,
    createdAt: Timestamp.fromEpochMicroseconds(row.created_at),
    updatedAt: Timestamp.fromEpochMicroseconds(row.updated_at),
  }
}

/** Writes a sandbox and its references. @param before the sandbox as it is, unless it is new */
export function writeSandbox(
  tx: Write,
  namespace: string,
  sandbox: Sandbox,
  before: Sandbox | undefined,
): void {
  const { id, runtime, spec, labels } = sandbox
  if (before !== undefined) dropRow(tx, namespace, id)
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
  const referencesBefore = before === undefined ? noReferences : referencesOf(before)
  setReferences(tx, namespace, node(id), referencesOf(sandbox), referencesBefore)
}

const referencesOf = ({ labels }: Sandbox): References => ({ to: labelReferences(labels).to, from: [] })

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

/** Removes a sandbox. @returns whether it was there */
export function dropSandbox(tx: Transaction, namespace: string, id: string): boolean {
  const wasThere = dropRow(tx, namespace, id)
  if (wasThere) dropReferences(tx, namespace, node(id))
  return wasThere
}

/** Its extensions are deleted with it. */
function dropRow(tx: Transaction, namespace: string, id: string): boolean {
  return tx.run('DELETE FROM sandbox WHERE namespace = ? AND id = ?', namespace, id).changes > 0
}
