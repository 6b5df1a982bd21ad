import { type BigIntStats, openSync, readFileSync, readlinkSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { O_PATH } from '@nsbox/sys'
import type { WhereIs } from '../mount-platform.ts'
import { ownedDescriptor } from './owned-descriptor.ts'

/** The id of the mount that an open file or directory is on. */
export function mountIdOfDescriptor(fd: number): number {
  const id = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
  if (id === undefined) throw new NsboxError('unimplemented', 'mount id of a descriptor')
  return Number(id)
}

/** The id of the mount that a path is on, symbolic links followed. */
export async function mountIdOf(path: string): Promise<number> {
  try {
    await using handle = await open(path, O_PATH)
    return mountIdOfDescriptor(handle.fd)
  } catch (error) {
    throw fromSystemError(error, `mount of ${JSON.stringify(path)}`)
  }
}

/** As `MountPlatform.whereIs`. */
export async function whereIs(path: string): Promise<WhereIs> {
  try {
    await using handle = await open(path, O_PATH)
    const real = readlinkSync(`/proc/self/fd/${handle.fd}`)
    const mountId = mountIdOfDescriptor(handle.fd)
    const [own, there] = await Promise.all([handle.stat({ bigint: true }), statsOf(real)])
    const kind = own.isDirectory() ? 'directory' : own.isFile() ? 'file' : 'other'
    // Not if it was removed, or cannot be seen from here.
    const isThere = there !== undefined && there.dev === own.dev && there.ino === own.ino
    return { path: isThere ? real : undefined, mountId, kind }
  } catch (error) {
    throw fromSystemError(error, `where ${JSON.stringify(path)} leads`)
  }
}

async function statsOf(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true })
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined
    throw error
  }
}

/** As `MountPlatform.isUncovered`. */
export function isUncovered(path: string): boolean {
  return mountIdNow(path) === mountIdNow(dirname(path))
}

function mountIdNow(path: string): number {
  try {
    using opened = ownedDescriptor(openSync(path, O_PATH))
    return mountIdOfDescriptor(opened.fd)
  } catch (error) {
    throw fromSystemError(error, `mount of ${JSON.stringify(path)}`)
  }
}
