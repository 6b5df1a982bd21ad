import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { CommitOptions, SnapshotInfo, Snapshotter } from '@nsbox/core/snapshots'
import type { SnapshotterSubject } from './subject.ts'

/** Makes a committed snapshot: prepares one on `parent`, lets `change` change its files, and commits it. */
export async function layer(
  { snapshotter, withMounts }: SnapshotterSubject,
  name: string,
  parent: string | undefined,
  change: (path: string) => Promise<unknown> = async () => undefined,
  options: CommitOptions = {},
): Promise<SnapshotInfo> {
  const key = `making ${name}`
  await withMounts(await snapshotter.prepare(key, parent), change)
  return await snapshotter.commit(name, key, options)
}

/** Makes a view, runs `use` on its files and removes it. */
export async function inView<T>(
  { snapshotter, withMounts }: SnapshotterSubject,
  parent: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const key = `viewing ${parent}`
  const result = await withMounts(await snapshotter.view(key, parent), use)
  await snapshotter.remove(key)
  return result
}

/** Every entry of a tree with its kind and content. */
export async function tree(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true })
  const described: Record<string, string> = {}
  for (const entry of entries.sort()) {
    const path = join(root, entry)
    const stats = await lstat(path)
    if (stats.isSymbolicLink()) described[entry] = `-> ${await readlink(path)}`
    else if (stats.isFile()) described[entry] = await readFile(path, 'utf8')
    else described[entry] = stats.isDirectory() ? 'directory' : 'other'
  }
  return described
}

/** The names of all snapshots, as `list` returns them. */
export async function names(snapshotter: Snapshotter, ...filters: string[]): Promise<string[]> {
  const found: string[] = []
  for await (const { name } of snapshotter.list(filters)) found.push(name)
  return found
}
