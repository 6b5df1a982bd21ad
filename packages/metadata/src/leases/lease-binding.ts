import { NsboxError } from '@nsbox/errors'
import type { Reader, Transaction } from '@nsbox/sqlite'
import type { Write } from '../database/ledger.ts'
import type { Node } from '../database/node.ts'
import { addReference, removeReference } from '../database/references.ts'

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
  const { namespace, lease } = scope
  if (lease === undefined) return
  demandLease(tx, scope)
  addReference(tx, namespace, { kind: 'lease', id: lease }, node)
}

/** Whether the scope has a lease that exists and does not hold an object yet. */
export function mayHold(db: Reader, scope: Scope, { kind, id }: Node): boolean {
  const { namespace, lease } = scope
  if (!hasLease(db, scope)) return false
  const held = db.get(
    `SELECT 1 FROM reference
     WHERE namespace = ? AND from_kind = 'lease' AND from_id = ? AND to_kind = ? AND to_id = ?`,
    ...[namespace, lease!, kind, id],
  )
  return held === undefined
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
