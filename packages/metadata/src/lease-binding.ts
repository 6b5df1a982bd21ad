import { NsboxError } from '@nsbox/errors'
import type { Transaction } from '@nsbox/sqlite'
import { addReference, type Node, removeReference } from './references.ts'

/** A namespace as one caller sees it: what is made through it is held by the lease, if there is one. */
export interface Scope {
  readonly namespace: string
  readonly lease?: string | undefined
}

/**
 * Lets the scope's lease hold something.
 * @throws `not_found` if there is no such lease
 */
export function hold(tx: Transaction, { namespace, lease }: Scope, node: Node): void {
  if (lease === undefined) return
  if (!tx.get('SELECT 1 FROM lease WHERE namespace = ? AND id = ?', namespace, lease)) {
    throw new NsboxError('not_found', 'lease does not exist', { details: { lease } })
  }
  addReference(tx, namespace, { kind: 'lease', id: lease }, node)
}

/** Lets the scope's lease let go of something that is no more. */
export function letGo(tx: Transaction, { namespace, lease }: Scope, node: Node): void {
  if (lease !== undefined) removeReference(tx, namespace, { kind: 'lease', id: lease }, node)
}
