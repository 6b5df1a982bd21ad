import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { PlaceOptions } from './mount-platform.ts'
import type { Mount } from './mount-record.ts'
import { platform } from './platform.ts'
import { unmount } from './unmount.ts'

/**
 * Makes one mount at `target`, which must exist, or below it at `mount.target`. All or nothing: an error leaves no
 * mount.
 *
 * The system calls that make a mount are short, and made on the calling thread.
 *
 * @throws `invalid_argument` for options that the file system refuses or that cannot be expressed exactly, `not_found`
 * for a source, layer or place that does not exist, `unimplemented` for a file system that the kernel does not have or
 * on a platform without mounts, `permission_denied`; the message has the kernel's own text if there is one
 */
export async function mount(mount: Mount, target: string, options: PlaceOptions = {}): Promise<void> {
  options.signal?.throwIfAborted()
  await platform.mount(mount, target, options)
}

/** Mounts all of `mounts` at or below `target`, in order; if one fails, those before it are unmounted again. */
export async function mountAll(
  mounts: readonly Mount[],
  target: string,
  options: PlaceOptions = {},
): Promise<void> {
  await using made = new AsyncDisposableStack()
  for (const mount of mounts) {
    options.signal?.throwIfAborted()
    const place = await platform.mount(mount, target, options)
    made.defer(() => unmount(place, { noFollow: true }))
  }
  made.move()
}
