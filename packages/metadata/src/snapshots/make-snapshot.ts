import { changeLabels, type Labels } from '@nsbox/core/labels'
import { checkName } from '@nsbox/core/names'
import { isForeign, type Mount, type PrepareOptions, type Snapshotter } from '@nsbox/core/snapshots'
import {
  isAlreadyExists,
  isCanceled,
  isDeadlineExceeded,
  isNsboxError,
  isUnavailable,
  NsboxError,
  quoted,
  shownName,
} from '@nsbox/errors'
import { validateLabels } from '@nsbox/namespaces'
import { labelKeys } from '@nsbox/oci'
import type { Write } from '../database/ledger.ts'
import { demandLease, hold, holdIn } from '../leases/lease-binding.ts'
import { adoptSnapshot } from './adopt-snapshot.ts'
import { adoptTarget } from './adopt-target.ts'
import { dropBacking, reserveBacking } from './backing-row.ts'
import { bareError } from './bare-error.ts'
import { inheritedLabels } from './inherited-labels.ts'
import type { SnapshotParts } from './snapshot-parts.ts'
import {
  demandParent,
  findSnapshot,
  insertSnapshot,
  type SnapshotRow,
  type SnapshotScope,
  snapshotNode,
} from './snapshot-row.ts'
import { writtenDirectory } from './written-directory.ts'

/** What to make. */
interface NewSnapshot {
  readonly kind: 'active' | 'view'
  readonly key: string
  readonly parentName: string | undefined
  readonly labels: Labels
}

/** A snapshot that is about to be made: its backing's id and key. */
interface Reserved {
  readonly id: number
  readonly key: string
  readonly parent: SnapshotRow | undefined
}

/** Makes an active snapshot or a view; the contract is that of `SnapshotMaker`. */
export async function makeSnapshot(
  parts: SnapshotParts,
  scope: SnapshotScope,
  backend: Snapshotter,
  asked: Pick<NewSnapshot, 'kind' | 'key' | 'parentName'> & PrepareOptions,
): Promise<Mount[]> {
  const { kind, key, parentName, signal } = asked
  signal?.throwIfAborted()
  checkName('snapshot key', key)
  const labels = changeLabels({}, { replace: asked.labels ?? {} })
  validateLabels(labels, 'info.Labels')
  const { ledger, commits, fresh, inUse, sharing } = parts
  const target = labels[labelKeys.snapshotRef]
  const snapshot = { kind, key, parentName: parentName || undefined, labels }
  try {
    for (const name of target === undefined ? [key] : [target, key]) await commits.named(scope, name)
    const reserved = reserve(parts, scope, backend, snapshot)
    try {
      const mounts = await makeBacking(parts, scope, backend, snapshot, reserved, signal)
      const directory = kind === 'active' ? await writtenDirectory(mounts) : undefined
      ledger.commit(scope.namespace, (tx) => {
        record(tx, parts, scope, snapshot, { ...reserved, directory })
      })
      // Tasks that can write to its directory can write to it.
      const isWatched = directory !== undefined && !inUse.canWrite(directory)
      const isShared = sharing.of(scope.namespace) === 'shared'
      if (isShared && isWatched && reserved.parent?.chain_id !== null && !isForeign(backend))
        fresh.add(reserved.id)
      return mounts
    } catch (error) {
      const mayCome = isForeign(backend) && isUnanswered(error, signal)
      abandon(parts, scope, reserved, mayCome)
      throw error
    }
  } finally {
    await ledger.answerable()
  }
}

/**
 * Reserves a number for the backing, unless the target snapshot exists, or is another namespace's that this one may
 * share. The lease holds an existing one from here on, although the call is refused.
 * @throws `already_exists`, also for the target snapshot (docs/behaviour.md §5); `not_found`
 */
function reserve(
  parts: SnapshotParts,
  scope: SnapshotScope,
  backend: Snapshotter,
  { key, parentName, labels }: NewSnapshot,
): Reserved {
  const { ledger } = parts
  const target = labels[labelKeys.snapshotRef]
  const { exists, reserved } = ledger.commit(scope.namespace, (tx) => {
    const isHeld = (name: string) => {
      if (findSnapshot(tx, scope, name) === undefined) return false
      hold(tx, scope, snapshotNode(scope, name))
      return true
    }
    const isTargetHeld = (name: string) =>
      isHeld(name) || adoptSnapshot(tx, parts, scope, { chainId: name, parent: parentName ?? null })
    if (target !== undefined && isTargetHeld(target)) return { exists: `target snapshot ${quoted(target)}` }
    if (isHeld(key)) return { exists: `snapshot ${quoted(key)}` }
    demandLease(tx, scope)
    const parent = parentName === undefined ? undefined : demandParent(tx, scope, parentName)
    const mark = isForeign(backend) ? backend.mark : undefined
    return { reserved: { ...reserveBacking(tx, { ...scope, name: key, mark }), parent } }
  })
  if (reserved === undefined) throw new NsboxError('already_exists', exists)
  return reserved
}

async function makeBacking(
  parts: SnapshotParts,
  scope: SnapshotScope,
  backend: Snapshotter,
  snapshot: NewSnapshot,
  reserved: Reserved,
  signal: AbortSignal | undefined,
): Promise<Mount[]> {
  const { kind, key, parentName } = snapshot
  const options = { labels: labelsFor(backend, parts, scope, snapshot), signal }
  const parentKey = reserved.parent?.key
  try {
    if (kind === 'view') return await backend.view(reserved.key, parentKey, options)
    return await backend.prepare(reserved.key, parentKey, options)
  } catch (error) {
    // For clients this code means that the target exists.
    if (isAlreadyExists(error)) {
      await takeTarget(parts, scope, backend, snapshot, reserved, options)
      throw new NsboxError('unavailable', `remains of snapshot ${shownName(key)}`, { cause: error })
    }
    const names = new Map([[reserved.key, key]])
    if (parentKey !== undefined && parentName !== undefined) names.set(parentKey, parentName)
    throw bareError(error, names)
  }
}

/**
 * The labels that the backend gets. Of a namespace that shares nothing, one that others use as well is not told what
 * the snapshot is to become, so that it takes none from them and none is left to them.
 */
function labelsFor(
  backend: Snapshotter,
  { sharing }: SnapshotParts,
  { namespace }: SnapshotScope,
  { labels }: NewSnapshot,
): Labels {
  const inherited = inheritedLabels(labels)
  if (!isForeign(backend) || sharing.of(namespace) === 'shared') return inherited
  const { [labelKeys.snapshotRef]: _, ...others } = inherited
  return others
}

/**
 * Takes what the backend has refused to make because it has it by itself, as snapshotters do that make layers without
 * a client (docs/behaviour.md §5).
 *
 * @throws `already_exists` if the namespace has it now
 */
async function takeTarget(
  { ledger, ...parts }: SnapshotParts,
  scope: SnapshotScope,
  backend: Snapshotter,
  { parentName, labels }: NewSnapshot,
  { parent }: Reserved,
  told: PrepareOptions,
): Promise<void> {
  const target = told.labels?.[labelKeys.snapshotRef]
  if (target === undefined || !isForeign(backend)) return
  const { namespace } = scope
  const key = await backend.findTarget(target, parent?.key, { namespace, signal: told.signal })
  if (key === undefined) return
  ledger.commit(namespace, (tx) =>
    adoptTarget(tx, { ledger, ...parts }, scope, {
      ...{ target, key, parentName, parentBacking: parent?.backing, labels },
    }),
  )
  throw new NsboxError('already_exists', `target snapshot ${quoted(target)}`)
}

/**
 * Makes the backing a snapshot of the namespace.
 * @throws `already_exists` or `not_found` after changes in the meantime
 */
function record(
  tx: Write,
  { clock, commits }: SnapshotParts,
  scope: SnapshotScope,
  { kind, key, parentName, labels }: NewSnapshot,
  { id, parent: expected, directory }: Reserved & { readonly directory: string | undefined },
): void {
  if (findSnapshot(tx, scope, key) !== undefined || commits.hasName(scope, key))
    throw new NsboxError('already_exists', `snapshot ${quoted(key)}`)
  const parent = parentName === undefined ? undefined : demandParent(tx, scope, parentName)
  if (parent?.backing !== expected?.backing)
    throw new NsboxError('not_found', `parent snapshot ${shownName(parentName ?? '')} does not exist`)
  holdIn(tx, scope, snapshotNode(scope, key))
  tx.run(
    'UPDATE backing SET parent = ?, directory = ? WHERE id = ?',
    ...[parent?.backing ?? null, directory ?? null, id],
  )
  insertSnapshot(tx, scope, {
    name: key,
    kind,
    parent: parentName,
    backing: id,
    labels,
    now: clock.stamp(),
  })
  if (kind === 'view') return
  const { snapshotter } = scope
  tx.emit({ topic: '/snapshot/prepare', payload: { key, parent: parentName ?? '', snapshotter } })
}

function abandon(
  { ledger, collector }: SnapshotParts,
  { namespace, snapshotter }: SnapshotScope,
  { id, key }: Reserved,
  mayCome: boolean,
): void {
  ledger.commit(namespace, (tx) => dropBacking(tx, id))
  collector.unused({ snapshot: { snapshotter, key }, mayCome })
  collector.schedule()
}

/** Whether an error says nothing of what a snapshotter of another process does in the end. */
function isUnanswered(error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted || !isNsboxError(error)) return true
  return isUnavailable(error) || isDeadlineExceeded(error) || isCanceled(error)
}
