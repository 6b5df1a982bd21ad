import type { Labels } from '@nsbox/core/labels'
import { NsboxError, shownName } from '@nsbox/errors'
import { ensureNamespace } from '../database/ensure-namespace.ts'
import type { Write } from '../database/ledger.ts'
import { hold } from '../leases/lease-binding.ts'
import type { SnapshotParts } from './snapshot-parts.ts'
import {
  demandParent,
  findSnapshot,
  insertSnapshot,
  type SnapshotScope,
  snapshotNode,
} from './snapshot-row.ts'

/** A snapshot that a snapshotter of another process has by itself. */
interface FoundTarget {
  /** The chain id that it is for, which becomes its name. */
  readonly target: string
  /** What the snapshotter knows it by. */
  readonly key: string
  readonly parentName: string | undefined
  /** The backing of the parent that it was looked for with. */
  readonly parentBacking: number | undefined
  readonly labels: Labels
}

/**
 * Gives the namespace a snapshot that the snapshotter has by itself, unless it has one of that name by now. Several
 * namespaces may have it, and the last takes it away.
 *
 * @throws `not_found` if it has another parent by now; `unavailable` while it is being removed, or something else is
 * being committed under the name
 */
export function adoptTarget(
  tx: Write,
  { clock, commits, removals }: SnapshotParts,
  scope: SnapshotScope,
  { target, key, parentName, parentBacking, labels }: FoundTarget,
): void {
  const { snapshotter } = scope
  const node = snapshotNode(scope, target)
  if (findSnapshot(tx, scope, target) !== undefined) {
    hold(tx, scope, node)
    return
  }
  if (removals.has({ snapshotter, key }))
    throw new NsboxError('unavailable', `snapshot ${shownName(target)} is being removed`)
  if (commits.hasName(scope, target))
    throw new NsboxError('unavailable', `snapshot ${shownName(target)} is being committed`)
  const parent = parentName === undefined ? undefined : demandParent(tx, scope, parentName)
  if (parent?.backing !== parentBacking)
    throw new NsboxError('not_found', `parent snapshot ${shownName(parentName ?? '')} does not exist`)
  ensureNamespace(tx, scope.namespace)
  const known = tx.get<{ id: number }>(
    'SELECT id FROM backing WHERE snapshotter = ? AND key = ?',
    snapshotter,
    key,
  )
  const { id } =
    known ??
    tx.run(
      "INSERT INTO backing (snapshotter, key, parent, provenance, late) VALUES (?, ?, ?, 'private', 0)",
      ...[snapshotter, key, parentBacking ?? null],
    )
  insertSnapshot(tx, scope, {
    ...{ name: target, kind: 'committed', parent: parentName, backing: id, labels },
    now: clock.stamp(),
  })
  hold(tx, scope, node)
}
