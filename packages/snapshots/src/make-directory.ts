import { chmodSync, mkdirSync } from 'node:fs'
import { chmod, mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isErrno } from '@nsbox/errors'

/**
 * Makes a directory with a mode that does not depend on the process's umask. Synchronous, which takes less than half of
 * the time of an asynchronous call.
 */
export function makeDirectory(path: string, mode: number): void {
  mkdirSync(path, { mode })
  chmodSync(path, mode)
}

/**
 * Makes a directory of mode 0700, and those above it that are missing. One that exists gets that mode. Node's
 * `recursive` does not end in file systems such as /proc, where making a directory fails with ENOENT.
 */
export async function makePrivateDirectory(path: string): Promise<void> {
  await makeMissing(path)
  await chmod(path, 0o700)
}

async function makeMissing(path: string, parents = true): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (isErrno(error, 'EEXIST') && (await stat(path)).isDirectory()) return
    if (!isErrno(error, 'ENOENT') || !parents || dirname(path) === path) throw error
    await makeMissing(dirname(path))
    await makeMissing(path, false)
  }
}
