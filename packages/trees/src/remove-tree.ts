import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { readMounts } from '@nsbox/mount'
import { smallOrThread } from './small-or-thread.ts'

/**
 * Removes a directory and what is in it, unless something is mounted at it or below: what a mount shows belongs to
 * somebody else. Succeeds if the path does not exist. Others may still write to it: whatever they do, nothing outside of
 * it is removed. The directories above it must be nobody else's to change.
 *
 * No event loop is held up, and memory and descriptors do not depend on how big or deep it is. After an error or an abort
 * some of it may be gone, and once it has settled nothing is removed any more.
 *
 * @throws `failed_precondition` if something is mounted there, with its place as the detail `mountPoint`; then nothing is
 * removed, or little, if it was mounted meanwhile. `unavailable` if somebody makes files as fast as they are removed, so
 * that it is to be tried again later; `permission_denied`, for an immutable file too; others, as the system has it.
 */
export async function removeTree(
  path: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { signal } = options
  try {
    // A symbolic link as the last component is what is removed, so it is not followed.
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
