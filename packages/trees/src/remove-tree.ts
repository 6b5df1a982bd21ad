import { realpath, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { AbortOptions } from '@nsbox/concurrency'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { readMounts } from '@nsbox/mount'
import { smallOrThread } from './small-or-thread.ts'

/**
 * Removes a directory and its content, unless something is mounted at it or below: a mount has another owner.
 * Succeeds if the path does not exist. Others may still write to it: whatever they do, nothing outside of it is
 * removed. Nobody else may be able to change the directories above it.
 *
 * Off Linux, where no container runs and nothing is mounted for one, it removes by paths.
 *
 * It does not block the event loop, and its memory and descriptors do not depend on size and depth. After an error or
 * an abort part of it may be removed; once the call has settled nothing more is.
 *
 * @throws `failed_precondition` if something is mounted there, with the detail `mountPoint`; then nothing is removed,
 * or only a part if it was mounted meanwhile. `unavailable` if files are created as fast as they are removed: try again
 * later; `permission_denied`, for an immutable file too; others as the system reports.
 */
export async function removeTree(path: string, { signal }: AbortOptions = {}): Promise<void> {
  try {
    if (process.platform !== 'linux') {
      signal?.throwIfAborted()
      return await rm(path, { recursive: true })
    }
    // A symbolic link as the last component is removed itself, so it is not followed.
    const real = join(await realpath(dirname(path)), basename(path))
    for await (const { mountPoint } of readMounts({ under: real }, { signal }))
      throw new NsboxError(
        'failed_precondition',
        `removing ${JSON.stringify(path)}: ${JSON.stringify(mountPoint)} is mounted`,
        { details: { mountPoint } },
      )
    await smallOrThread('remove', real, signal)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    throw fromSystemError(error, `removing ${JSON.stringify(path)}`)
  }
}
