import type { UnmountOptions } from './mount-platform.ts'
import { platform } from './platform.ts'

/**
 * Unmounts what is mounted at `target`: the topmost mount there, or with `recursive` all of them and those below.
 * Succeeds if nothing is mounted there, or nothing is there at all. Tries again for `busyTimeout` while the mount is in
 * use.
 *
 * Without `lazy` the call waits until the file system has written back what it holds; a thread waits, not the event
 * loop.
 *
 * @throws `failed_precondition` if the mount is in use or may not be ended, `permission_denied`, `unimplemented` on a
 * platform without mounts
 */
export async function unmount(target: string, options: UnmountOptions = {}): Promise<void> {
  options.signal?.throwIfAborted()
  await platform.unmount(target, options)
}
