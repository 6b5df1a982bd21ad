import { realpath, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { mounts } from './mount-table.ts'
import { shortenPaths } from './shorten-paths.ts'

/**
 * Removes a directory and what is in it, unless something is mounted at it or below: what a mount shows
 * belongs to somebody else. Succeeds if the path does not exist. Nobody else may mount there meanwhile.
 *
 * @throws `failed_precondition` if something is mounted there; its detail `mountPoint` says where
 */
export async function removeTree(
  path: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  try {
    // A symbolic link as the last component is what is removed, so it is not followed.
    const real = join(await realpath(dirname(path)), basename(path))
    for await (const { mountPoint } of mounts({ under: real }, options))
      throw new NsboxError(
        'failed_precondition',
        `removing ${JSON.stringify(path)}: ${JSON.stringify(mountPoint)} is mounted`,
        {
          details: { mountPoint },
        },
      )
    await removeAll(real)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    throw fromSystemError(error, `removing ${JSON.stringify(path)}`)
  }
}

async function removeAll(path: string): Promise<void> {
  const options = { recursive: true, force: true }
  try {
    await rm(path, options)
  } catch (error) {
    if (!isErrno(error, 'ENAMETOOLONG')) throw error
    await shortenPaths(path)
    await rm(path, options)
  }
}
