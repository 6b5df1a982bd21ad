import { realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { NsboxError } from '@nsbox/errors'
import type { MountInfo } from './mount-info.ts'
import { isAtOrBelow } from './path-prefix.ts'
import { platform } from './platform.ts'

/** Which mounts to list; all must hold. */
export interface MountFilter {
  /** Those at this place or below it: an absolute path without symbolic links. */
  readonly under?: string
  /** Those with a file system of one of these types. */
  readonly types?: readonly string[]
}

/**
 * The mounts that this process sees, as the table is read. Not a snapshot: mounts that are made or ended meanwhile may
 * be missing or not.
 *
 * @throws `unimplemented` on a platform without a mount table
 */
export async function* readMounts(
  filter: MountFilter = {},
  options: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<MountInfo> {
  const { under, types } = filter
  for await (const info of platform.mountTable(options.signal)) {
    if (under !== undefined && !isAtOrBelow(info.mountPoint, under)) continue
    if (types !== undefined && !types.includes(info.type)) continue
    yield info
  }
}

/** As `readMounts`, all at once. */
export async function listMounts(
  filter?: MountFilter,
  options?: { signal?: AbortSignal | undefined },
): Promise<MountInfo[]> {
  const infos: MountInfo[] = []
  for await (const info of readMounts(filter, options)) infos.push(info)
  return infos
}

/**
 * The mount that a path is on, which may begin at it or above. Symbolic links are followed.
 *
 * @throws `not_found` if the path does not exist
 */
export async function mountOf(
  path: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<MountInfo> {
  const id = await platform.mountIdOf(path)
  for await (const info of readMounts({}, options)) if (info.id === id) return info
  throw new NsboxError('not_found', `mount of ${JSON.stringify(path)}: outside of this process's root`)
}

/**
 * Whether something is mounted at a path; bind mounts of directories and files count. Symbolic links are
 * followed. It does not read the mount table, so it costs the same however long that is.
 *
 * @throws `not_found` if the path does not exist
 */
export async function isMountPoint(path: string): Promise<boolean> {
  const id = await platform.mountIdOf(path)
  const real = await realpath(path)
  return real === '/' || id !== (await platform.mountIdOf(dirname(real)))
}
