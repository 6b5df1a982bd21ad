import type { Reader } from '@nsbox/sqlite'
import { takeOverBlobs } from '../content/take-over-blobs.ts'
import { ensureNamespace } from '../database/ensure-namespace.ts'
import type { Write } from '../database/ledger.ts'
import { hold } from '../leases/lease-binding.ts'
import type { SnapshotParts } from './snapshot-parts.ts'
import { findSnapshot, insertSnapshot, type SnapshotScope, snapshotNode } from './snapshot-row.ts'

/** A backing and its chain id, if any namespace may share it. */
interface Link {
  readonly id: number
  readonly chain_id: string | null
}

/** Whether another namespace has a snapshot with this chain id that this one may share. */
export function isShared(db: Reader, parts: SnapshotParts, scope: SnapshotScope, chainId: string): boolean {
  return candidates(db, parts, scope, chainId).length > 0
}

/**
 * Longest chain that is adopted, in one transaction: the most layers of an overlay (`OVL_MAX_STACK` of Linux). An image
 * with more is unpacked by each namespace itself.
 */
const maxChain = 500

/**
 * Gives the namespace a snapshot of another one, with its parents, if the server made them all (docs/behaviour.md §3).
 * A backing exists as long as any namespace has it; within one transaction that cannot change.
 * What the scope says that the snapshots are made of comes with them: a client that finds the snapshot of a layer does
 * not fetch the layer.
 *
 * @param parent what the snapshot must be based on, `null` for nothing; anything if it is undefined
 * @returns whether the namespace has it now; it does not if it has something else under the name of a parent, or cannot
 * have the content
 */
export function adoptSnapshot(
  tx: Write,
  parts: SnapshotParts,
  scope: SnapshotScope,
  { chainId, parent }: { readonly chainId: string; readonly parent?: string | null | undefined },
): boolean {
  for (const { id } of candidates(tx, parts, scope, chainId)) {
    const chain = chainOf(tx, id)
    if (chain.length > maxChain) continue
    if (parent !== undefined && (chain[1]?.chain_id ?? null) !== parent) continue
    if (!chain.every((link) => fits(tx, parts, scope, link))) continue
    ensureNamespace(tx, scope.namespace)
    if (!takeOverBlobs(tx, parts, scope, scope.contentOf?.(chainId) ?? [])) return false
    addMissing(tx, parts, scope, chain)
    hold(tx, scope, snapshotNode(scope, chainId))
    return true
  }
  return false
}

function candidates(
  db: Reader,
  { sharing }: SnapshotParts,
  { namespace, snapshotter }: SnapshotScope,
  chainId: string,
): { id: number }[] {
  if (sharing.of(namespace) !== 'shared') return []
  return db
    .all<{ id: number }>(
      'SELECT id FROM backing WHERE snapshotter = ? AND chain_id = ?',
      snapshotter,
      chainId,
    )
    .filter(({ id }) => sharing.givesBacking(db, id))
}

/** A backing and its parents, the nearest first. */
function chainOf(db: Reader, id: number): Link[] {
  return db.all<Link>(
    `WITH RECURSIVE chain (id, chain_id, parent, depth) AS (
       SELECT id, chain_id, parent, 0 FROM backing WHERE id = ?
       UNION ALL
       SELECT backing.id, backing.chain_id, backing.parent, depth + 1
       FROM chain JOIN backing ON backing.id = chain.parent
     )
     SELECT id, chain_id FROM chain ORDER BY depth`,
    id,
  )
}

/** Whether the namespace has the link already, or nothing with its name. */
function fits(db: Reader, { commits }: SnapshotParts, scope: SnapshotScope, { id, chain_id }: Link): boolean {
  if (chain_id === null || commits.hasName(scope, chain_id)) return false
  const row = findSnapshot(db, scope, chain_id)
  return row === undefined || row.backing === id
}

function addMissing(tx: Write, { clock }: SnapshotParts, scope: SnapshotScope, chain: readonly Link[]): void {
  let parent: string | undefined
  for (const { id, chain_id: name } of chain.toReversed()) {
    if (name === null) throw new TypeError('a link that is nobody else’s')
    if (findSnapshot(tx, scope, name) === undefined)
      insertSnapshot(tx, scope, {
        name,
        kind: 'committed',
        parent,
        backing: id,
        labels: {},
        now: clock.stamp(),
      })
    parent = name
  }
}
