import type { Labels } from '@nsbox/core/labels'
import type { Transaction } from '@nsbox/sqlite'
import type { Write } from './ledger.ts'
import type { Kind, Node } from './node.ts'

/** The references in an object's labels. */
interface LabelReferences {
  /** Objects that it keeps. */
  readonly to: readonly Node[]
  /** Objects that keep it. */
  readonly from: readonly Node[]
}

const label =
  /^containerd\.io\/gc\.(ref|bref)\.(?:(content|image|container)(?:[./].*)?|snapshot\.([^/]+)(?:\/.*)?)$/s

/**
 * The references in an object's labels (docs/behaviour.md §6): `gc.ref.<kind>` for objects that it keeps,
 * `gc.bref.<kind>` for objects that keep it. The kind is `content`, `image` or `container`, which may have a suffix
 * after `.` or `/`, or `snapshot.<snapshotter>`, which may have one only after `/`. Other labels are no references.
 */
export function labelReferences(labels: Labels): LabelReferences {
  const to: Node[] = []
  const from: Node[] = []
  for (const [key, id] of Object.entries(labels)) {
    if (!key.startsWith('containerd.io/gc.')) continue
    const match = label.exec(key)
    if (match === null) continue
    const [, direction, kind, snapshotter] = match
    // A container refers to others, but no label can hold one.
    if (direction === 'ref' && kind === 'container') continue
    const node = { kind: (kind ?? `snapshot/${snapshotter}`) as Kind, id }
    if (direction === 'ref') to.push(node)
    else from.push(node)
  }
  return { to, from }
}

/** Replaces all references of an object. */
export function setReferences(
  tx: Write,
  namespace: string,
  object: Node,
  { to, from = [] }: { readonly to: readonly Node[]; readonly from?: readonly Node[] },
): void {
  dropReferences(tx, namespace, object)
  tx.touch(object)
  for (const node of to) tx.touch(node)
  insertReferences(tx, namespace, [
    ...to.map((node) => [object, node, 0] as const),
    ...from.map((node) => [node, object, 1] as const),
  ])
}

/** How many rows one statement writes; a call for each row would take twice as long as the writing. */
const rowsAtOnce = 64
const insertOne = 'INSERT OR IGNORE INTO reference VALUES (?, ?, ?, ?, ?, ?)'
const insertMany = `${insertOne}${', (?, ?, ?, ?, ?, ?)'.repeat(rowsAtOnce - 1)}`

function insertReferences(
  tx: Transaction,
  namespace: string,
  rows: readonly (readonly [from: Node, to: Node, back: 0 | 1])[],
): void {
  const values = rows.map(([from, to, back]) => [namespace, from.kind, from.id, to.kind, to.id, back])
  const whole = values.length - (values.length % rowsAtOnce)
  for (let at = 0; at < whole; at += rowsAtOnce)
    tx.run(insertMany, ...values.slice(at, at + rowsAtOnce).flat())
  for (const row of values.slice(whole)) tx.run(insertOne, ...row)
}

/** Removes all references of an object. */
export function dropReferences(tx: Transaction, namespace: string, { kind, id }: Node): void {
  tx.run(
    'DELETE FROM reference WHERE namespace = ? AND from_kind = ? AND from_id = ? AND back = 0',
    namespace,
    kind,
    id,
  )
  tx.run(
    'DELETE FROM reference WHERE namespace = ? AND to_kind = ? AND to_id = ? AND back = 1',
    namespace,
    kind,
    id,
  )
}

export function addReference(tx: Write, namespace: string, from: Node, to: Node): void {
  tx.touch(to)
  insertReferences(tx, namespace, [[from, to, 0]])
}

export function removeReference(tx: Transaction, namespace: string, from: Node, to: Node): void {
  tx.run(
    `DELETE FROM reference
     WHERE namespace = ? AND from_kind = ? AND from_id = ? AND to_kind = ? AND to_id = ? AND back = 0`,
    namespace,
    from.kind,
    from.id,
    to.kind,
    to.id,
  )
}
