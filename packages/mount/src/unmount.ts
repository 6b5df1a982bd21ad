import type { UnmountOptions } from './mount-platform.ts'
import { platform } from './platform.ts'

/**
 * Unmounts the topmost mount at `target`, or with `recursive` all mounts there and below. Succeeds if nothing is
 * mounted there, or nothing exists. Tries again for `busyTimeout` while the mount is in use.
 *
 * Without `lazy` the call waits until the file system has written back its data; a thread waits, not the event loop.
 *
 * @throws `failed_precondition` if the mount is in use or must not be ended, `permission_denied`, `unimplemented` on a
 * platform without mounts
 */
export async function unmount(target: string, options: UnmountOptions = {}): Promise<void> {
  options.signal?.throwIfAborted()
  await platform.unmount(target, options)
}
