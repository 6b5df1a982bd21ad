import { changeLabels } from '@nsbox/core/labels'
import {
  type AbortOptions,
  hasLayerDirectories,
  type LayerDirectories,
  type Mount,
  type SnapshotInfo,
  type Snapshotter,
  type SnapshotUsage,
} from '@nsbox/core/snapshots'
import { NsboxError, shownName } from '@nsbox/errors'
import { parseListFilters } from '@nsbox/filters'
import { validateLabels } from '@nsbox/namespaces'
import { listRows } from '../database/listing.ts'
import { hasLease, hold, letGo, mayHold } from '../leases/lease-binding.ts'
import { adoptSnapshot, isShared } from './adopt-snapshot.ts'
import { bareError } from './bare-error.ts'
import { commitSnapshot } from './commit-snapshot.ts'
import { inheritedChange } from './inherited-labels.ts'
import { makeSnapshot } from './make-snapshot.ts'
import { letAnybodyWrite } from './shareable-snapshot.ts'
import { snapshotFields } from './snapshot-fields.ts'
import type { SnapshotParts } from './snapshot-parts.ts'
import {
  demandActive,
  demanded,
  demandSnapshot,
  dropSnapshot,
  findSnapshot,
  hasChildren,
  infoFromRow,
  type SnapshotRow,
  type SnapshotScope,
  snapshotNode,
  snapshotsOf,
  writeLabels,
} from './snapshot-row.ts'

/**
 * The snapshots of a namespace: their names, labels and parents are rows, their files are in the backend. It has layer
 * directories if the backend has.
 */
export function snapshotView(
  parts: SnapshotParts,
  scope: SnapshotScope,
  backend: Snapshotter,
): Snapshotter | (Snapshotter & LayerDirectories) {
  const view = rowsAndTrees(parts, scope, backend)
  return hasLayerDirectories(backend) ? { ...view, ...layerDirectories(parts, scope, backend) } : view
}

function rowsAndTrees(parts: SnapshotParts, scope: SnapshotScope, backend: Snapshotter): Snapshotter {
  const { ledger, collector, commits, inUse, clock } = parts

  return {
    async stat(name, { signal } = {}): Promise<SnapshotInfo> {
      signal?.throwIfAborted()
      const node = snapshotNode(scope, name)
      const { found, mayChange } = ledger.peek((db) => {
        const found = findSnapshot(db, scope, name)
        // Who is told that it exists may build on it, so the lease has to hold it (docs/behaviour.md §6).
        const mayChange =
          found === undefined
            ? isShared(db, parts, scope, name) && hasLease(db, scope)
            : mayHold(db, scope, node)
        return { found, mayChange }
      })
      if (!mayChange) return await ledger.read(() => infoFromRow(demanded(found, name)))
      return await ledger.write(scope.namespace, (tx) => {
        if (findSnapshot(tx, scope, name) !== undefined) hold(tx, scope, node)
        else adoptSnapshot(tx, parts, scope, { chainId: name })
        return infoFromRow(demandSnapshot(tx, scope, name))
      })
    },

    async usage(name, options = {}): Promise<SnapshotUsage> {
      options.signal?.throwIfAborted()
      const row = await ledger.read((db) => demandSnapshot(db, scope, name))
      return await ofBackend(row, () => backend.usage(row.key, options))
    },

    async *list(filters = [], { signal } = {}): AsyncGenerator<SnapshotInfo> {
      const filter = parseListFilters(filters)
      for await (const row of listRows(ledger, snapshotsOf(scope), signal)) {
        const info = infoFromRow(row)
        if (filter.match(snapshotFields(info))) yield info
      }
    },

    async mounts(key, options = {}): Promise<Mount[]> {
      options.signal?.throwIfAborted()
      const row = await ledger.read((db) => demandSnapshot(db, scope, key))
      if (row.kind === 'committed') {
        throw new NsboxError('failed_precondition', `requested snapshot ${shownName(key)} not active or view`)
      }
      // The caller may be about to write.
      if (row.kind === 'active') await letAnybodyWrite(parts, [row.backing])
      return await ofBackend(row, () => backend.mounts(row.key, options))
    },

    prepare: (key, parentName, options) =>
      makeSnapshot(parts, scope, backend, { kind: 'active', key, parentName, ...options }),

    view: (key, parentName, options) =>
      makeSnapshot(parts, scope, backend, { kind: 'view', key, parentName, ...options }),

    commit: (name, key, options) => commitSnapshot(parts, scope, backend, { name, key, ...options }),

    async remove(name, { signal } = {}): Promise<void> {
      signal?.throwIfAborted()
      const { snapshotter } = scope
      const unused = await ledger.write(scope.namespace, (tx) => {
        const row = demandSnapshot(tx, scope, name)
        if (commits.isCommitting(row.backing))
          throw new NsboxError('unavailable', `snapshot ${shownName(name)} is being committed`)
        if (hasChildren(tx, scope, name) || commits.isParent(scope.namespace, row.backing))
          throw new NsboxError('failed_precondition', 'cannot remove snapshot with child')
        letGo(tx, scope, snapshotNode(scope, name))
        tx.emit({ topic: '/snapshot/remove', payload: { key: name, snapshotter } })
        return dropSnapshot(tx, inUse, scope, row)
      })
      collector.unused(unused)
      collector.schedule()
    },

    async update(name, change, { signal } = {}): Promise<SnapshotInfo> {
      signal?.throwIfAborted()
      const row = await ledger.read((db) => demandSnapshot(db, scope, name))
      const before = infoFromRow(row)
      const after = changed(before)
      const inherited = inheritedChange(before.labels, after.labels)
      // In the snapshotter, a snapshot that other namespaces may share gets no labels of this one.
      if (inherited !== undefined && row.chain_id === null)
        await ofBackend(row, () => backend.update(row.key, { merge: inherited }, { signal }))
      return await ledger.write(scope.namespace, (tx) => {
        const current = infoFromRow(demandSnapshot(tx, scope, name))
        const info = changed(current)
        writeLabels(tx, scope, current, info)
        return info
      })

      function changed(info: SnapshotInfo): SnapshotInfo {
        const labels = changeLabels(info.labels, change)
        validateLabels(labels, 'info.Labels')
        return { ...info, labels, updatedAt: clock.stamp(info.updatedAt) }
      }
    },

    async cleanup(options = {}): Promise<void> {
      options.signal?.throwIfAborted()
      await collector.removeOrphanSnapshots(scope.snapshotter)
      await backend.cleanup(options)
    },
  }
}

function layerDirectories(
  { ledger }: SnapshotParts,
  scope: SnapshotScope,
  backend: LayerDirectories,
): Pick<LayerDirectories, 'layerDirectory'> {
  return {
    async layerDirectory(key, options: AbortOptions = {}) {
      options.signal?.throwIfAborted()
      const row = await ledger.read((db) => demandActive(db, scope, key))
      return await ofBackend(row, () => backend.layerDirectory(row.key, options))
    },
  }
}

/** Calls the backend for a snapshot; errors have the caller's names. */
async function ofBackend<T>({ key, name }: SnapshotRow, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw bareError(error, new Map([[key, name]]))
  }
}
