import { isDeepStrictEqual } from 'node:util'
import type { Applier, DiffMount } from '@nsbox/core/diff'
import { hasLayerDirectories, type Snapshotter } from '@nsbox/core/snapshots'
import { isFailedPrecondition, isNotFound, NsboxError } from '@nsbox/errors'
import { overlayLayers } from '@nsbox/mount'
import type { Reader } from '@nsbox/sqlite'
import { demandBlob } from '../blob-row.ts'
import type { Scope } from '../lease-binding.ts'
import { type BackingAt, backingsAt, letAnybodyWrite, noteApplied } from './provenance.ts'
import type { SnapshotParts } from './snapshot-parts.ts'
import type { Snapshotters } from './snapshotters.ts'
import { writablePaths } from './writable-paths.ts'

/** A backing that a layer is applied to as the snapshotter says. */
interface Target {
  readonly id: number
  readonly late: boolean
}

/**
 * An applier for a namespace: it applies what the namespace has, and notes what became of which snapshot, so that it is
 * known at commit what the snapshot is made of.
 *
 * Besides what the applier throws: `not_found` for a blob that the namespace does not have; `failed_precondition` for
 * mounts that lead into a committed snapshot, `unavailable` for one that is being committed.
 */
export function recordingApplier(
  parts: SnapshotParts,
  { namespace }: Scope,
  snapshotters: Snapshotters,
  applier: Applier,
): Applier {
  const { ledger, fresh } = parts
  return {
    async apply(layer, mounts, options = {}) {
      options.signal?.throwIfAborted()
      if (options.arriving === undefined) await ledger.read((db) => demandBlob(db, namespace, layer.digest))
      const target = await begin(parts, snapshotters, mounts)
      const applied = await applier.apply(layer, mounts, options)
      if (target !== undefined && fresh.endApplying(target.id)) {
        const { id, late } = target
        ledger.note((tx) => noteApplied(tx, id, { ...applied, late }))
        await ledger.answerable()
      }
      return applied
    },
  }
}

/**
 * Notes that the backings behind the mounts are about to be written to.
 * @returns the one that the layer is applied to, if it will be all that there is in it
 */
async function begin(
  parts: SnapshotParts,
  snapshotters: Snapshotters,
  mounts: readonly DiffMount[],
): Promise<Target | undefined> {
  const { ledger, commits, fresh } = parts
  const paths = await writablePaths(mounts)
  const found = (db: Reader) => paths.flatMap((path) => backingsAt(db, path))
  const target = await findTarget(ledger.peek(found), paths, snapshotters, mounts)
  try {
    const backings = ledger.peek(found)
    for (const { id, committed } of backings) {
      if (committed === 1)
        throw new NsboxError('failed_precondition', 'the snapshot to apply a layer to is committed')
      if (commits.isCommitting(id))
        throw new NsboxError('unavailable', 'the snapshot to apply a layer to is being committed')
    }
    const [backing] = backings
    const isTarget = target !== undefined && backings.length === 1 && backing?.id === target.id
    if (isTarget && fresh.beginApplying(target.id)) return target
    await letAnybodyWrite(
      parts,
      backings.map(({ id }) => id),
    )
    return undefined
  } finally {
    await ledger.answerable()
  }
}

/** The one backing that the mounts are of, if they say just what the snapshotter says of it. */
async function findTarget(
  [backing, ...others]: readonly BackingAt[],
  [path, ...otherPaths]: readonly string[],
  snapshotters: Snapshotters,
  mounts: readonly DiffMount[],
): Promise<Target | undefined> {
  if (backing === undefined || backing.committed === 1 || others.length > 0 || otherPaths.length > 0) return
  const { id, key, snapshotter, directory } = backing
  const backend = snapshotters.get(snapshotter)
  if (backend === undefined || directory !== path) return undefined
  try {
    if (isDeepStrictEqual((await backend.mounts(key)).map(described), mounts.map(described)))
      return { id, late: mounts[0]?.type === 'overlay' }
    return (await isLayerDirectory(backend, key, mounts)) ? { id, late: true } : undefined
  } catch (error) {
    // It has been removed or committed meanwhile.
    if (isNotFound(error) || isFailedPrecondition(error)) return undefined
    throw error
  }
}

const described = ({ type, source, options }: DiffMount) => ({ type, source, options })

/**
 * Whether the mounts are the directory of the snapshot's own changes, to be written to as `LayerDirectory` says: as the
 * upper directory of an overlay, with the option `userxattr` if that is how it hides what is below.
 */
async function isLayerDirectory(
  backend: Snapshotter,
  key: string,
  [mount, ...others]: readonly DiffMount[],
): Promise<boolean> {
  if (mount === undefined || others.length > 0 || !hasLayerDirectories(backend)) return false
  const { path, opaqueAttribute } = await backend.layerDirectory(key)
  const forUsers = opaqueAttribute === 'user.overlay.opaque'
  return overlayLayers(mount)?.upper === path && mount.options.includes('userxattr') === forUsers
}
