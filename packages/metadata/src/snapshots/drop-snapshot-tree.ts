import type { Write } from '../ledger.ts'
import type { Unused } from '../unused.ts'
import type { BackingsInUse } from './backings-in-use.ts'
import { childOf, dropSnapshot, findSnapshot, type SnapshotScope } from './snapshot-row.ts'

/**
 * Removes a snapshot that nothing keeps, after all that are based on it, which nothing can keep either.
 * @param limit most snapshots to remove; the first one may be left then
 * @returns what each of them leaves
 */
export function dropSnapshotTree(
  tx: Write,
  inUse: BackingsInUse,
  scope: SnapshotScope,
  name: string,
  limit: number,
): Unused[] {
  const dropped: Unused[] = []
  const path = [name]
  for (let last = path.at(-1); last !== undefined && dropped.length < limit; last = path.at(-1)) {
    const child = childOf(tx, scope, last)
    if (child !== undefined) {
      path.push(child)
      continue
    }
    path.pop()
    const row = findSnapshot(tx, scope, last)
    // It was removed together with another.
    if (row === undefined) continue
    dropped.push(dropSnapshot(tx, inUse, scope, row))
    tx.emit({ topic: '/snapshot/remove', payload: { key: last, snapshotter: scope.snapshotter } })
  }
  return dropped
}
