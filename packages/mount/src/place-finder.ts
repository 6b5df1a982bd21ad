import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fromSystemError, isErrno, isNotFound, isUnimplemented, NsboxError } from '@nsbox/errors'
import { hasErrno } from './linux/mount-error.ts'
import type { MountInfo } from './mount-info.ts'
import type { WhereIs } from './mount-platform.ts'
import { listMounts } from './mount-table.ts'
import { isAtOrBelow } from './path-prefix.ts'
import { platform } from './platform.ts'

/** All places where a file or directory can be seen, as absolute paths without symbolic links. */
export interface Places {
  /** Of the file or directory itself, and of mounts of its parts elsewhere. */
  readonly own: readonly string[]
  /** Of mounts below it. */
  readonly below: readonly string[]
  /** Whether it is a directory, or may be one if the platform cannot tell. */
  readonly isDirectory: boolean
}

/** How deep stacked overlays are followed; the kernel stacks no more than two. */
const maxStack = 3

/**
 * Finds where else in this process's tree of mounts the same files can be seen: by other bind mounts of the same file
 * system, and in the upper directory of an overlay. This tells whether two paths lead to one directory. The mount table
 * is read once, when it is first needed.
 */
export class PlaceFinder {
  readonly #signal: AbortSignal | undefined
  #table: Promise<Table> | undefined

  constructor({ signal }: { signal?: AbortSignal | undefined } = {}) {
    this.#signal = signal
  }

  /**
   * The places of a path's target; undefined if there is nothing or a dangling link. Of a FIFO, socket or device only
   * the first place, since writing to it does not change the file system.
   * @throws `invalid_argument` for a file that this process sees at no path, such as in mounts of another namespace
   */
  async of(path: string): Promise<Places | undefined> {
    const found = await placeAt(path)
    if (found === undefined) return undefined
    const { path: real, mountId, kind } = found
    if (real === undefined) throw outOfSight(path)
    const isDirectory = kind === 'directory'
    if (mountId === undefined || kind === 'other') return { own: [real], below: [], isDirectory }
    this.#table ??= readTable(this.#signal)
    const table = await this.#table
    const mount = table.byId.get(mountId)
    if (mount === undefined) throw outOfSight(path)
    const own = new Set<string>()
    const below = new Set<string>()
    await addPlaces(table, { path: real, mount }, own, maxStack)
    for (const mount of isDirectory ? table.all : []) {
      if (mount.mountPoint === real || !isAtOrBelow(mount.mountPoint, real)) continue
      await addPlaces(table, { path: mount.mountPoint, mount }, below, maxStack)
    }
    return { own: [...own], below: [...below], isDirectory }
  }
}

/**
 * Whether nothing is mounted at a path without symbolic links. Blocks this thread, so the file system must be local. It
 * does not read the mount table.
 * @throws `not_found`
 */
export function isUncovered(path: string): boolean {
  return platform.isUncovered(path)
}

/** A path without symbolic links, also where its last component does not exist yet; undefined if that is a link. */
export async function resolvedForMaking(path: string): Promise<string | undefined> {
  const real = await resolved(path)
  if (real !== undefined) return real
  try {
    await lstat(path)
    return undefined
  } catch (error) {
    if (!isAbsent(error)) throw fromSystemError(error, `looking for ${JSON.stringify(path)}`)
  }
  const parent = dirname(path)
  const above = parent === path ? undefined : await resolvedForMaking(parent)
  return above === undefined ? undefined : join(above, basename(path))
}

interface Table {
  readonly all: readonly MountInfo[]
  readonly byId: ReadonlyMap<number, MountInfo>
  readonly byDevice: ReadonlyMap<string, readonly MountInfo[]>
}

async function readTable(signal: AbortSignal | undefined): Promise<Table> {
  const all = await listMounts({}, { signal })
  const byDevice = new Map<string, MountInfo[]>()
  for (const info of all) {
    const those = byDevice.get(info.device)
    if (those === undefined) byDevice.set(info.device, [info])
    else those.push(info)
  }
  return { all, byId: new Map(all.map((info) => [info.id, info])), byDevice }
}

async function addPlaces(
  table: Table,
  { path, mount }: { readonly path: string; readonly mount: MountInfo },
  places: Set<string>,
  depth: number,
): Promise<void> {
  places.add(path)
  if (depth === 0) return
  const { mountPoint, root } = mount
  const inside = join(root, isAtOrBelow(path, mountPoint) ? path.slice(mountPoint.length) : '')
  for (const other of table.byDevice.get(mount.device) ?? []) {
    if (isAtOrBelow(inside, other.root))
      places.add(join(other.mountPoint, other.root === '/' ? inside : inside.slice(other.root.length)))
    else if (isAtOrBelow(other.root, inside)) places.add(other.mountPoint)
  }
  const upper = mount.type === 'overlay' ? upperDirectory(mount) : undefined
  const written = upper === undefined ? undefined : await placeAt(upper)
  const below = written?.mountId === undefined ? undefined : table.byId.get(written.mountId)
  if (written?.path === undefined || below === undefined) return
  await addPlaces(table, { path: join(written.path, inside), mount: below }, places, depth - 1)
}

/**
 * As in the table, where commas and backslashes are escaped. A directory that was passed by a descriptor, as this
 * package does with unusual names, cannot be read from there.
 */
function upperDirectory({ superOptions }: MountInfo): string | undefined {
  const path = superOptions.find((option) => option.startsWith('upperdir='))?.slice('upperdir='.length)
  return path?.startsWith('/') && !path.startsWith('/proc/') ? path.replace(/\\(.)/g, '$1') : undefined
}

/** As `MountPlatform.whereIs`; undefined if the path leads to nothing. Without a mount where the platform has none. */
async function placeAt(
  path: string,
): Promise<(Omit<WhereIs, 'mountId'> & { readonly mountId: number | undefined }) | undefined> {
  try {
    return await platform.whereIs(path)
  } catch (error) {
    if (isNotFound(error) || hasErrno(error, 'ENOTDIR', 'ELOOP')) return undefined
    if (!isUnimplemented(error)) throw error
    const real = await resolved(path)
    return real === undefined ? undefined : { path: real, mountId: undefined, kind: 'directory' }
  }
}

function outOfSight(path: string): NsboxError {
  return new NsboxError(
    'invalid_argument',
    `${JSON.stringify(path)} leads to no place that this process sees`,
  )
}

async function resolved(path: string): Promise<string | undefined> {
  try {
    return await realpath(path)
  } catch (error) {
    if (isAbsent(error) || isErrno(error, 'ELOOP')) return undefined
    throw fromSystemError(error, `resolving ${JSON.stringify(path)}`)
  }
}

function isAbsent(error: unknown): boolean {
  return isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')
}
