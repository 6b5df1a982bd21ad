import { type OpenSnapshotterOptions, openLocalSnapshotter } from './open-local-snapshotter.ts'
import { overlayForm } from './overlay/overlay-form.ts'
import { OverlaySnapshotter } from './overlay/overlay-snapshotter.ts'
import { probeOverlay } from './overlay/probe-overlay.ts'

/**
 * Opens the overlay snapshotter in a directory. The caller ensures that only one is open on a directory at a time, in
 * all processes. Needs Linux and the right to mount; that of a user namespace is enough.
 *
 * @throws `failed_precondition` if the file system cannot hold layers of overlays; `permission_denied`,
 * `unimplemented`, `resource_exhausted` and others as the system reports
 */
export async function openOverlaySnapshotter(options: OpenSnapshotterOptions): Promise<OverlaySnapshotter> {
  return await openLocalSnapshotter(
    options,
    async (root) => overlayForm(await probeOverlay(root)),
    ({ form, ...parts }) => new OverlaySnapshotter(parts, form),
  )
}
