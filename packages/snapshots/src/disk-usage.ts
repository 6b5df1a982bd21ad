import type { BigIntStats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import type { AbortOptions, SnapshotUsage } from '@nsbox/core/snapshots'
import { isErrno } from '@nsbox/errors'
import { joinBytes } from './join-bytes.ts'

/** How many files are looked at together. */
const batch = 32

/**
 * What a tree takes on its disk. A file with several names in it counts once. What lies on another file system is left
 * out, and what vanishes meanwhile.
 *
 * @throws ENOENT if the root does not exist
 */
export async function diskUsage(root: string, { signal }: AbortOptions = {}): Promise<SnapshotUsage> {
  const top = await lstat(root, { bigint: true })
  const linked = new Set<bigint>()
  let blocks = top.blocks
  let inodes = 1
  const directories: Buffer[] = [Buffer.from(root)]

  const count = (path: Buffer, stats: BigIntStats | undefined) => {
    if (stats === undefined || stats.dev !== top.dev) return
    if (stats.isDirectory()) directories.push(path)
    else if (stats.nlink > 1n) {
      if (linked.has(stats.ino)) return
      linked.add(stats.ino)
    }
    blocks += stats.blocks
    inodes++
  }

  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    signal?.throwIfAborted()
    const paths = (await names(directory)).map((name) => joinBytes(directory, name))
    for (let at = 0; at < paths.length; at += batch) {
      const some = paths.slice(at, at + batch)
      const stats = await Promise.all(some.map(statOrNothing))
      for (const [index, path] of some.entries()) count(path, stats[index])
    }
  }
  return { size: Number(blocks) * 512, inodes }
}

async function names(directory: Buffer): Promise<Buffer[]> {
  try {
    // Names need not be UTF-8.
    return await readdir(directory, { encoding: 'buffer' })
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

async function statOrNothing(path: Buffer): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true })
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
