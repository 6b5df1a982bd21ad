import type { OpaqueValue } from '@nsbox/core/containers'
import type { Reader } from '@nsbox/sqlite'
import type { Write } from '../database/ledger.ts'
import type { Maps } from './maps.ts'

interface ExtensionRow {
  readonly name: string
  readonly type: string
  readonly value: Uint8Array
}

/** The table of the object; its extensions are in a table with `_extension` appended to the name. */
type Kind = 'container' | 'sandbox'

/** A column of the object's row for `findExtensions`: few have any, and so most are read by one statement. */
export const extendedColumn = (kind: Kind) => `EXISTS (
  SELECT 1 FROM ${kind}_extension AS extension
  WHERE extension.namespace = ${kind}.namespace AND extension.${kind} = ${kind}.id) AS extended`

export interface ExtendedRow {
  readonly extended: 0 | 1
}

/** The extensions of a container or a sandbox, whose row was read in the same turn. */
export function findExtensions(
  db: Reader,
  kind: Kind,
  { extended }: ExtendedRow,
  { namespace, id }: { readonly namespace: string; readonly id: string },
): Maps['extensions'] {
  const extensions: Record<string, OpaqueValue> = Object.create(null)
  if (extended === 0) return extensions
  for (const { name, type, value } of db.all<ExtensionRow>(
    `SELECT name, type, value FROM ${kind}_extension WHERE namespace = ? AND ${kind} = ?`,
    namespace,
    id,
  )) {
    extensions[name] = { typeUrl: type, value }
  }
  return extensions
}

/** Adds extensions; when an object is written again, its earlier ones were deleted with its row. */
export function addExtensions(
  tx: Write,
  kind: Kind,
  namespace: string,
  { id, extensions }: Pick<Maps, 'extensions'> & { readonly id: string },
): void {
  for (const [name, { typeUrl, value }] of Object.entries(extensions))
    tx.run(`INSERT INTO ${kind}_extension VALUES (?, ?, ?, ?, ?)`, namespace, id, name, typeUrl, value)
}

/** A value from two columns, which are both null without one. */
export function opaqueValue(typeUrl: string | null, value: Uint8Array | null): OpaqueValue | undefined {
  return typeUrl === null || value === null ? undefined : { typeUrl, value }
}
