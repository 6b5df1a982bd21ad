import { LocalSnapshotter } from './local-snapshotter.ts'
import { nativeForm } from './native/native-form.ts'
import { type OpenSnapshotterOptions, openLocalSnapshotter } from './open-local-snapshotter.ts'

/**
 * Opens the native snapshotter in a directory: each snapshot is a whole copy of its parent, whose mount is a plain bind
 * mount. It takes any file system, and where files can share their blocks (btrfs, xfs) a copy takes no space; elsewhere
 * each takes all of it. Only one at a time may be open on a directory, in all processes; whoever opens it sees to that.
 *
 * Needs Linux. Without root it holds what its user may own: copying a file of somebody else, or a device, is
 * `permission_denied`.
 *
 * @throws `permission_denied`, `resource_exhausted` and others, as the system has it
 */
export async function openNativeSnapshotter(options: OpenSnapshotterOptions): Promise<LocalSnapshotter> {
  return await openLocalSnapshotter(
    options,
    async () => nativeForm,
    (parts) => new LocalSnapshotter(parts),
  )
}
