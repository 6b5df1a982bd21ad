import type { BigIntStats } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { CompareOptions } from '@nsbox/core/diff'
import type { Mount } from '@nsbox/core/snapshots'
import type { Descriptor } from '@nsbox/oci'
import type { DifferClaims } from './claims.ts'
import type { DifferSubject } from './subject.ts'

/** Changes the files below a directory. */
export type ChangeFiles = (path: string) => Promise<unknown>

/** A snapshot `base` that is committed, a view of it, and an active snapshot on top of it. */
export interface Pair {
  readonly lower: Mount[]
  readonly upper: Mount[]
}

export async function makePair(
  { snapshotter, withMounts }: DifferSubject,
  before: ChangeFiles,
  change: ChangeFiles,
): Promise<Pair> {
  await withMounts(await snapshotter.prepare('making base', undefined), before)
  await snapshotter.commit('base', 'making base')
  const pair = {
    lower: await snapshotter.view('lower', 'base'),
    upper: await snapshotter.prepare('upper', 'base'),
  }
  await withMounts(pair.upper, change)
  return pair
}

/** The layer that turns one tree into the other. */
export async function compareTrees(
  subject: DifferSubject,
  before: ChangeFiles,
  change: ChangeFiles,
  options?: CompareOptions,
): Promise<Descriptor> {
  const { lower, upper } = await makePair(subject, before, change)
  return await subject.comparer.compare(lower, upper, options)
}

/** The result of applying a layer to `base`. */
export async function appliedToBase(subject: DifferSubject, layer: Descriptor): Promise<Mount[]> {
  const mounts = await subject.snapshotter.prepare(`applied ${layer.digest}`, 'base')
  await subject.applier.apply(layer, mounts)
  return mounts
}

/** Every entry of a tree with the attributes that Node can read and layers keep. */
export async function describeTree(
  { withMounts }: DifferSubject,
  mounts: readonly Mount[],
  claims: DifferClaims,
): Promise<Record<string, string>> {
  return await withMounts(mounts, async (root) => {
    const described: Record<string, string> = {}
    const first = new Map<bigint, string>()
    for (const name of ['.', ...(await readdir(root, { recursive: true })).sort()]) {
      if (name === '.' && !claims.rootAttributes) continue
      const path = join(root, name)
      const stats = await lstat(path, { bigint: true })
      const time = claims.fractions ? stats.mtimeNs : stats.mtimeNs / 1_000_000_000n
      const { mode, uid, gid, ino } = stats
      const link = stats.isDirectory() ? name : (first.get(ino) ?? name)
      first.set(ino, link)
      described[name] = [
        (mode & 0o7777n).toString(8),
        uid,
        gid,
        time,
        link,
        await contentOf(path, stats),
      ].join(' ')
    }
    return described
  })
}

async function contentOf(path: string, stats: BigIntStats): Promise<string> {
  if (stats.isSymbolicLink()) return `-> ${await readlink(path)}`
  if (stats.isFile()) return `file ${await readFile(path, 'latin1')}`
  if (stats.isDirectory()) return 'directory'
  return stats.isFIFO() ? 'fifo' : `device ${stats.rdev}`
}
