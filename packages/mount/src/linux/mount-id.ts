import { readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { fromSystemError, NsboxError } from '@nsbox/errors'
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
