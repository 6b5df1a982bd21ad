import type { Labels } from '@nsbox/core/labels'
import type { Transaction } from '@nsbox/sqlite'
import type { Write } from './ledger.ts'
import type { Kind, Node } from './node.ts'

/** The references that belong to an object. */
export interface References {
  /** Objects that it keeps. */
  readonly to: readonly Node[]
  /** Objects that keep it. */
  readonly from: readonly Node[]
}

/** Those of an object that is new. */
export const noReferences: References = { to: [], from: [] }

const label =
  /^containerd\.io\/gc\.(ref|bref)\.(?:(content|image|container)(?:[./].*)?|snapshot\.([^/]+)(?:\/.*)?)$/s

/**
 * The references in an object's labels (docs/behaviour.md §6): `gc.ref.<kind>` for objects that it keeps,
 * `gc.bref.<kind>` for objects that keep it. The kind is `content`, `image` or `container`, which may have a suffix
 * after `.` or `/`, or `snapshot.<snapshotter>`, which may have one only after `/`. Other labels are no references.
 */
export function labelReferences(labels: Labels): References {
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

/** Replaces all references of an object. @param before those that it has */
export function setReferences(
  tx: Write,
  namespace: string,
  object: Node,
  { to, from }: References,
  before: References,
): void {
  tx.touch(object)
  for (const node of to) tx.touch(node)
  const kept = { to: areSame(to, before.to), from: areSame(from, before.from) }
  dropReferences(tx, namespace, object, {
    to: kept.to ? [] : before.to,
    from: kept.from ? [] : before.from,
  })
  insertReferences(tx, namespace, [
    ...(kept.to ? [] : to.map((node) => [object, node, 0] as const)),
    ...(kept.from ? [] : from.map((node) => [node, object, 1] as const)),
  ])
}

const areSame = (some: readonly Node[], others: readonly Node[]) =>
  some.length === others.length &&
  some.every(({ kind, id }, at) => kind === others[at]?.kind && id === others[at].id)

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

/** Removes all references of an object. @param before those that it has, if they are known */
export function dropReferences(
  tx: Transaction,
  namespace: string,
  { kind, id }: Node,
  before?: References,
): void {
  // In one statement, SQLite would read all references of the namespace.
  if (before === undefined || before.to.length > 0)
    tx.run(
      'DELETE FROM reference WHERE namespace = ? AND from_kind = ? AND from_id = ? AND back = 0',
      namespace,
      kind,
      id,
    )
  if (before === undefined || before.from.length > 0)
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
