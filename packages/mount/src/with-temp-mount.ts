import { mkdir, mkdtemp, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NsboxError } from '@nsbox/errors'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { mountAll } from './mount.ts'
import type { Mount } from './mount-record.ts'
import { unmount } from './unmount.ts'

/**
 * Mounts `mounts` at a new directory that only this user can reach, and unmounts them when `use` has ended, with an
 * error or not. The directory is removed only if it is empty, so mounted files are never deleted.
 *
 * @param use gets the directory
 * @param options `lazy`: whether a mount in use is detached at once and ends with its last user, for read-only mounts;
 * false by default
 * @returns the result of `use`
 * @throws as `mountAll` and `use`; `failed_precondition` if a mount is still in use
 */
export async function withTempMount<T>(
  mounts: readonly Mount[],
  use: (path: string) => T | Promise<T>,
  options: { lazy?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<T> {
  if (mounts.length === 0) throw new NsboxError('invalid_argument', 'temporary mount: no mounts')
  options.signal?.throwIfAborted()
  await using cleanup = new AsyncDisposableStack()
  // The mount has its own mode; the directory above it keeps others from, say, its setuid files.
  const directory = await mkdtemp(join(tmpdir(), 'nsbox-mount-'))
  cleanup.defer(() => rmdir(directory))
  const path = join(directory, 'mount')
  await mkdir(path)
  cleanup.defer(() => rmdir(path))
  await mountAll(mounts, path, options)
  cleanup.defer(() => unmount(path, { recursive: true, lazy: options.lazy ?? false }))
  return await use(path)
}
