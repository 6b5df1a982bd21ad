import { isDeepStrictEqual } from 'node:util'
import type { Applier, DiffMount } from '@nsbox/core/diff'
import { hasLayerDirectories, isForeign, type Snapshotter } from '@nsbox/core/snapshots'
import { isFailedPrecondition, isNotFound, NsboxError } from '@nsbox/errors'
import {
  isUncovered,
  overlayMount,
  PlaceFinder,
  readTreeMount,
  type WrittenTree,
  withTempMount,
  writtenTree,
} from '@nsbox/mount'
import type { Reader } from '@nsbox/sqlite'
import { demandBlob } from '../content/blob-row.ts'
import type { Scope } from '../leases/lease-binding.ts'
import { type BackingAt, backingsAt } from './backings-at.ts'
import { bareError } from './bare-error.ts'
import { type OpenDirectory, openDirectory } from './open-directory.ts'
import { letAnybodyWrite, noteApplied } from './shareable-snapshot.ts'
import type { SnapshotParts } from './snapshot-parts.ts'
import type { Snapshotters } from './snapshotters.ts'

/** A backing to which a layer is applied by the snapshotter's own mounts. */
interface Target {
  readonly id: number
  readonly late: boolean
}

/**
 * An applier for a namespace: it applies the namespace's blobs, and records for the commit which layer was applied to
 * which snapshot. The applier below gets only the directory that was checked, by its open descriptor.
 *
 * Besides what the applier and mounts throw: `not_found` for a blob that the namespace does not have;
 * `invalid_argument` for mounts that contradict themselves; `failed_precondition` for mounts that lead into a committed
 * snapshot, `unavailable` for one that is being committed.
 *
 * @param applier of this process
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
      if (isOwnFileSystem(mounts)) {
        const { signal } = options
        const write = (path: string) => applier.apply(layer, [writableDirectory(path)], options)
        return await withTempMount(mounts, write, { signal })
      }
      const tree = writtenTree(mounts)
      await using opened = await openDirectory(tree.directory)
      const target = await begin(parts, snapshotters, mounts, opened)
      const applied = await applyTo(tree, opened, (written) => applier.apply(layer, written, options))
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
 * Whether the mounts are one of a file system that no directory of the host is, such as that of a block device. The
 * layer is applied while that is mounted, and nothing is recorded of it.
 */
function isOwnFileSystem([mount, ...others]: readonly DiffMount[]): boolean {
  return mount !== undefined && others.length === 0 && readTreeMount(mount) === undefined
}

const writableDirectory = (path: string) => ({ type: 'bind', source: path, options: ['rbind', 'rw'] })

/** Applies to an open directory, in the form of the mounts. Errors show the caller's path. */
async function applyTo<T>(
  { directory, overlay }: WrittenTree,
  { path }: OpenDirectory,
  write: (mounts: readonly DiffMount[]) => Promise<T>,
): Promise<T> {
  const mount =
    overlay === undefined
      ? writableDirectory(path)
      : overlayMount({ lower: overlay.lower, upper: path }, overlay.userAttributes ? ['userxattr'] : [])
  try {
    return await write([mount])
  } catch (error) {
    throw bareError(error, new Map([[path, directory]]))
  }
}

/**
 * Records that the backings behind the mounts are about to be written to.
 * @returns the one that the layer is applied to, if it will contain nothing else
 */
async function begin(
  parts: SnapshotParts,
  snapshotters: Snapshotters,
  mounts: readonly DiffMount[],
  { path, realPath }: OpenDirectory,
): Promise<Target | undefined> {
  const { ledger, commits, fresh } = parts
  const around = ledger.peek((db) => backingsAt(db, realPath))
  const isPlain =
    around.filter(({ directory }) => directory === realPath).length === 1 && isUncovered(realPath)
  const places = isPlain ? undefined : await new PlaceFinder().of(path)
  const paths = new Set([realPath, ...(places?.own ?? []), ...(places?.below ?? [])])
  const found = (db: Reader) => uniqueBackings([...paths].flatMap((place) => backingsAt(db, place)))
  const target = await findTarget(isPlain ? around : ledger.peek(found), realPath, snapshotters, mounts)
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

function uniqueBackings(backings: readonly BackingAt[]): BackingAt[] {
  return [...new Map(backings.map((backing) => [backing.id, backing])).values()]
}

/** The one backing whose mounts these are, exactly as the snapshotter returns them. */
async function findTarget(
  [backing, ...others]: readonly BackingAt[],
  path: string,
  snapshotters: Snapshotters,
  mounts: readonly DiffMount[],
): Promise<Target | undefined> {
  if (backing === undefined || backing.committed === 1 || others.length > 0) return undefined
  const { id, key, snapshotter, directory, parent } = backing
  const backend = snapshotters.get(snapshotter)
  // Of one that may have other writers nothing is recorded.
  if (backend === undefined || isForeign(backend) || directory !== path) return undefined
  try {
    if (isDeepStrictEqual((await backend.mounts(key)).map(described), mounts.map(described)))
      return { id, late: mounts[0]?.type === 'overlay' }
    // With a parent by now, the layer would be made as if there were none.
    if (parent !== null) return undefined
    return (await isLayerDirectory(backend, key, mounts)) ? { id, late: true } : undefined
  } catch (error) {
    // It was removed or committed meanwhile.
    if (isNotFound(error) || isFailedPrecondition(error)) return undefined
    throw error
  }
}

const described = ({ type, source, options }: DiffMount) => ({ type, source, options })

/**
 * Whether the mounts are the directory of the snapshot's own changes, written as `LayerDirectory` describes: as the
 * upper directory of an overlay, with the option `userxattr` if the snapshotter hides lower files that way.
 */
async function isLayerDirectory(
  backend: Snapshotter,
  key: string,
  mounts: readonly DiffMount[],
): Promise<boolean> {
  if (!hasLayerDirectories(backend)) return false
  const { path, opaqueAttribute } = await backend.layerDirectory(key)
  const { directory, overlay } = writtenTree(mounts)
  const forUsers = opaqueAttribute === 'user.overlay.opaque'
  // Implied directories get the attributes of lower ones.
  if (overlay === undefined || overlay.lower.length > 0) return false
  return directory === path && overlay.userAttributes === forUsers
}
