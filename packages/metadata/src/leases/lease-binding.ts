import { NsboxError } from '@nsbox/errors'
import type { Reader, Transaction } from '@nsbox/sqlite'
import { ensureNamespace } from '../database/ensure-namespace.ts'
import type { Write } from '../database/ledger.ts'
import type { Node } from '../database/node.ts'
import { removeReference } from '../database/references.ts'

/** A namespace as one caller sees it: the lease, if there is one, holds what is made through it. */
export interface Scope {
  readonly namespace: string
  readonly lease?: string | undefined
}

/**
 * Makes the scope's lease hold an object.
 * @throws `not_found` if there is no such lease
 */
export function hold(tx: Write, scope: Scope, node: Node): void {
  if (!holdIfThere(tx, scope, node)) demandLease(tx, scope)
}

/** As `hold`, in a namespace that is made unless it is there, as one with a lease is. */
export function holdIn(tx: Write, scope: Scope, node: Node): void {
  if (scope.lease === undefined) ensureNamespace(tx, scope.namespace)
  else hold(tx, scope, node)
}

/** Makes the scope's lease, if that exists, hold an object. @returns whether it did not before */
export function holdIfThere(tx: Write, { namespace, lease }: Scope, node: Node): boolean {
  if (lease === undefined) return false
  tx.touch(node)
  const { changes } = tx.run(
    `INSERT OR IGNORE INTO reference
     SELECT namespace, 'lease', id, ?, ?, 0 FROM lease WHERE namespace = ? AND id = ?`,
    ...[node.kind, node.id, namespace, lease],
  )
  return changes > 0
}

/** Whether the scope has a lease that exists and does not hold an object yet. */
export function mayHold(db: Reader, { namespace, lease }: Scope, { kind, id }: Node): boolean {
  if (lease === undefined) return false
  const without = db.get(
    `SELECT 1 FROM lease WHERE namespace = ? AND id = ? AND NOT EXISTS (
       SELECT 1 FROM reference
       WHERE namespace = ? AND from_kind = 'lease' AND from_id = ? AND to_kind = ? AND to_id = ?)`,
    ...[namespace, lease, namespace, lease, kind, id],
  )
  return without !== undefined
}

/** @throws `not_found` if the scope's lease does not exist, with the text that clients know */
export function demandLease(db: Reader, scope: Scope): void {
  const { lease } = scope
  if (lease === undefined || hasLease(db, scope)) return
  throw new NsboxError('not_found', 'lease does not exist', { details: { lease } })
}

/** Whether the scope has a lease that exists. */
export function hasLease(db: Reader, { namespace, lease }: Scope): boolean {
  if (lease === undefined) return false
  return db.get('SELECT 1 FROM lease WHERE namespace = ? AND id = ?', namespace, lease) !== undefined
}

/** Removes a deleted object from the scope's lease. */
export function letGo(tx: Transaction, { namespace, lease }: Scope, node: Node): void {
  if (lease !== undefined) removeReference(tx, namespace, { kind: 'lease', id: lease }, node)
}
