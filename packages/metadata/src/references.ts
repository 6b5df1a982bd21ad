import type { Labels } from '@nsbox/core/labels'
import type { Transaction } from '@nsbox/sqlite'

/** What the collector tells apart; see `schema.ts` for the ids. */
export type Kind = 'image' | 'content' | 'ingest' | 'lease' | 'container' | `snapshot/${string}`

export interface Node {
  readonly kind: Kind
  readonly id: string
}

/** The references that an object's labels make. */
interface LabelReferences {
  /** What the object keeps. */
  readonly to: readonly Node[]
  /** What keeps the object. */
  readonly from: readonly Node[]
}

const label =
  /^containerd\.io\/gc\.(ref|bref)\.(?:(content|image|container)(?:[./].*)?|snapshot\.([^/]+)(?:\/.*)?)$/s

/**
 * The references in an object's labels (BEHAVIOUR.md §6): `gc.ref.<kind>` for what the object keeps, `gc.bref.<kind>`
 * for what keeps the object; the kind is `content`, `image` or `container`, which a suffix after `.` or `/` may
 * follow, or `snapshot.<snapshotter>`, which only one after `/` may. Every other label means nothing here.
 */
export function labelReferences(labels: Labels): LabelReferences {
  const to: Node[] = []
  const from: Node[] = []
  for (const [key, id] of Object.entries(labels)) {
    if (!key.startsWith('containerd.io/gc.')) continue
    const match = label.exec(key)
    if (match === null) continue
    const [, direction, kind, snapshotter] = match
    // A container refers to others, but no label holds one.
    if (direction === 'ref' && kind === 'container') continue
    const node = { kind: (kind ?? `snapshot/${snapshotter}`) as Kind, id }
    if (direction === 'ref') to.push(node)
    else from.push(node)
  }
  return { to, from }
}

/** Replaces all references that an object has made. */
export function setReferences(
  tx: Transaction,
  namespace: string,
  object: Node,
  { to, from = [] }: { readonly to: readonly Node[]; readonly from?: readonly Node[] },
): void {
  dropReferences(tx, namespace, object)
  for (const node of to) addReference(tx, namespace, object, node)
  for (const { kind, id } of from) {
    tx.run(
      'INSERT OR IGNORE INTO reference VALUES (?, ?, ?, ?, ?, 1)',
      namespace,
      kind,
      id,
      object.kind,
      object.id,
    )
  }
}

/** Removes all references that an object has made. */
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

export function addReference(tx: Transaction, namespace: string, from: Node, to: Node): void {
  tx.run(
    'INSERT OR IGNORE INTO reference VALUES (?, ?, ?, ?, ?, 0)',
    namespace,
    from.kind,
    from.id,
    to.kind,
    to.id,
  )
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
