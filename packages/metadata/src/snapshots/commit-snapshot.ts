import { changeLabels, type Labels } from '@nsbox/core/labels'
import { checkName } from '@nsbox/core/names'
import {
  type AbortOptions,
  type CommitLayerOptions,
  hasLayerDirectories,
  isForeign,
  type SnapshotInfo,
  type Snapshotter,
} from '@nsbox/core/snapshots'
import { isAlreadyExists, NsboxError, quoted, shownName } from '@nsbox/errors'
import { validateLabels } from '@nsbox/namespaces'
import type { Write } from '../database/ledger.ts'
import { demandLease, hold, holdIfThere, letGo } from '../leases/lease-binding.ts'
import { backingKey } from './backing-row.ts'
import { bareError } from './bare-error.ts'
import type { CommitUnderWay } from './commits-under-way.ts'
import { inheritedLabels } from './inherited-labels.ts'
import { impliedWithoutParents, provenChainId } from './shareable-snapshot.ts'
import type { SnapshotParts } from './snapshot-parts.ts'
import {
  demandActive,
  demandParent,
  findSnapshot,
  forgetSnapshot,
  insertSnapshot,
  type SnapshotRow,
  type SnapshotScope,
  snapshotNode,
} from './snapshot-row.ts'

/** The future parent of a snapshot: a committed snapshot, or one that is being committed. */
type BasedOn = Pick<SnapshotRow, 'name' | 'key' | 'backing'>

/** A commit that the database allows. */
interface Begun {
  readonly commit: CommitUnderWay
  readonly active: SnapshotRow
  readonly parent: BasedOn | undefined
  /** Implied directories that are recorded, besides those of the caller. */
  readonly implied: readonly string[]
}

/**
 * Commits a snapshot of a namespace; the contract is that of `SnapshotMaker` and, if the backend has it,
 * `LayerDirectories`.
 */
export async function commitSnapshot(
  parts: SnapshotParts,
  scope: SnapshotScope,
  backend: Snapshotter,
  { name, key, ...options }: CommitLayerOptions & { readonly name: string; readonly key: string },
): Promise<SnapshotInfo> {
  options.signal?.throwIfAborted()
  checkName('snapshot key', name)
  const labels = changeLabels({}, { replace: options.labels ?? {} })
  validateLabels(labels, 'info.Labels')
  const { ledger, commits, collector } = parts
  // If another commit wants the same name, waits for its result.
  while (commits.hasName(scope, name)) await commits.named(scope, name)
  try {
    const begun = begin(parts, scope, backend, { name, key, parentName: options.parent || undefined })
    using _ = commits.begin(begun.commit)
    await commitBacking(backend, begun, { ...options, labels: inheritedLabels(labels) })
    try {
      if (begun.parent !== undefined) await commits.named(scope, begun.parent.name)
      return ledger.commit(scope.namespace, (tx) => record(tx, parts, scope, begun, labels))
    } catch (error) {
      collector.unused({ snapshot: begun.commit })
      throw error
    }
  } finally {
    await ledger.answerable()
  }
}

/**
 * Checks whether a commit is allowed.
 * @throws `already_exists` for a name that is taken, which the lease holds from here on; otherwise as in the contract
 */
function begin(
  { ledger, commits }: SnapshotParts,
  scope: SnapshotScope,
  backend: Snapshotter,
  { name, key, parentName }: { name: string; key: string; parentName: string | undefined },
): Begun {
  const { namespace, snapshotter } = scope
  const begun = ledger.peek((db) => {
    const active = demandActive(db, scope, key)
    if (commits.isCommitting(active.backing))
      throw new NsboxError('unavailable', `snapshot ${shownName(key)} is being committed`)
    const wanted = parentName ?? active.parent
    const coming = wanted !== null && hasLayerDirectories(backend) && commits.findName(scope, wanted)
    const parent = wanted === null ? undefined : coming || demandParent(db, scope, wanted)
    if (active.parent !== null && active.parent !== wanted) {
      throw new NsboxError(
        'failed_precondition',
        `snapshot ${shownName(key)} has parent ${shownName(active.parent)} already`,
      )
    }
    if (findSnapshot(db, scope, name) !== undefined) return undefined
    demandLease(db, scope)
    const { backing } = active
    const mark = isForeign(backend) ? backend.mark : undefined
    const published = backingKey(backing, { namespace, name, mark })
    const commit = { namespace, snapshotter, key: published, name, backing, parent: parent?.backing }
    const rebased = active.parent === null && parent !== undefined
    const implied = rebased ? impliedWithoutParents(db, backing) : []
    return { commit, active, parent, implied }
  })
  if (begun !== undefined) return begun
  ledger.commit(namespace, (tx) => hold(tx, scope, snapshotNode(scope, name)))
  throw new NsboxError('already_exists', `snapshot ${quoted(name)}`)
}

async function commitBacking(
  backend: Snapshotter,
  { commit, active, parent, implied }: Begun,
  { labels, signal, impliedDirectories = [] }: CommitLayerOptions & AbortOptions,
): Promise<void> {
  const rebased = active.parent === null ? parent?.key : undefined
  try {
    if (hasLayerDirectories(backend)) {
      const directories = [...new Set([...impliedDirectories, ...implied])]
      const options = { labels, parent: rebased, impliedDirectories: directories, signal }
      await backend.commit(commit.key, active.key, options)
    } else {
      await backend.commit(commit.key, active.key, { labels, parent: rebased, signal })
    }
  } catch (error) {
    // For clients this code means that the name exists.
    if (isAlreadyExists(error)) {
      throw new NsboxError('unavailable', `remains of snapshot ${shownName(commit.name)}`, { cause: error })
    }
    const names = new Map([
      [active.key, active.name],
      [commit.key, commit.name],
    ])
    if (parent !== undefined) names.set(parent.key, parent.name)
    throw bareError(error, names)
  }
}

function record(
  tx: Write,
  { clock, fresh }: SnapshotParts,
  scope: SnapshotScope,
  { commit, active, parent: expected }: Begun,
  labels: Labels,
): SnapshotInfo {
  const { name, backing } = commit
  const key = active.name
  letGo(tx, scope, snapshotNode(scope, key))
  forgetSnapshot(tx, scope, key)
  // It still exists, but others may not share it any more; and a running commit of it may have failed.
  const parent = expected && demandParent(tx, scope, expected.name)
  if (parent?.backing !== expected?.backing)
    throw new NsboxError('not_found', `parent snapshot ${shownName(parent?.name ?? '')} does not exist`)
  const rebased = active.parent === null && parent !== undefined
  // A layer that is still being applied is not part of the commit.
  fresh.forget(backing)
  const chainId = provenChainId(tx, { backing, name, parent, rebased })
  tx.run(
    `UPDATE backing SET key = ?, parent = ?, chain_id = ?,
       provenance = 'private', diff_id = NULL, late = 0, implied = NULL
     WHERE id = ?`,
    ...[commit.key, parent?.backing ?? null, chainId ?? null, backing],
  )
  const now = clock.stamp()
  const info = { name, kind: 'committed' as const, parent: parent?.name, labels }
  insertSnapshot(tx, scope, { backing, now, ...info })
  // If the lease has ended meanwhile, the result is the same as if it ended right after this.
  holdIfThere(tx, scope, snapshotNode(scope, name))
  tx.emit({ topic: '/snapshot/commit', payload: { key, name, snapshotter: scope.snapshotter } })
  return { createdAt: now, updatedAt: now, ...info }
}
