import { readFileSync } from 'node:fs'
import { type FileHandle, open, readlink, stat } from 'node:fs/promises'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { O_PATH } from '@nsbox/sys'

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
export async function whereIs(path: string): Promise<{ path: string | undefined; mountId: number }> {
  try {
    await using handle = await open(path, O_PATH)
    const real = await readlink(`/proc/self/fd/${handle.fd}`)
    return {
      mountId: mountIdOfDescriptor(handle.fd),
      path: (await leadsTo(real, handle)) ? real : undefined,
    }
  } catch (error) {
    throw fromSystemError(error, `where ${JSON.stringify(path)} leads`)
  }
}

/** Whether a path as the kernel has it leads to what is open: not if that was removed, or is another process's to see. */
async function leadsTo(path: string, handle: FileHandle): Promise<boolean> {
  try {
    const [there, own] = await Promise.all([stat(path, { bigint: true }), handle.stat({ bigint: true })])
    return there.dev === own.dev && there.ino === own.ino
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return false
    throw error
  }
}
