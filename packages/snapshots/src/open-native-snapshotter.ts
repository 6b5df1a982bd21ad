import { LocalSnapshotter } from './local-snapshotter.ts'
import { nativeForm } from './native/native-form.ts'
import { type OpenSnapshotterOptions, openLocalSnapshotter } from './open-local-snapshotter.ts'

/**
 * Opens the native snapshotter in a directory: each snapshot is a whole copy of its parent, whose mount is a plain bind
 * mount. It works on any file system. Where files can share their blocks (btrfs, xfs) a copy takes no space, elsewhere
 * as much as its parent. The caller ensures that only one is open on a directory at a time, in all processes.
 *
 * Needs Linux. Without root it can only hold files that its user may own: copying another user's file, or a device,
 * fails with `permission_denied`.
 *
 * @throws `permission_denied`, `resource_exhausted` and others as the system reports
 */
export async function openNativeSnapshotter(options: OpenSnapshotterOptions): Promise<LocalSnapshotter> {
  return await openLocalSnapshotter(
    options,
    async () => nativeForm,
    (parts) => new LocalSnapshotter(parts),
  )
}
