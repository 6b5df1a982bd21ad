import { type OpenSnapshotterOptions, openLocalSnapshotter } from './open-local-snapshotter.ts'
import { overlayForm } from './overlay/overlay-form.ts'
import { OverlaySnapshotter } from './overlay/overlay-snapshotter.ts'
import { probeOverlay } from './overlay/probe-overlay.ts'

/**
 * Opens the overlay snapshotter in a directory. Only one at a time may be open on a directory, in all processes;
 * whoever opens it sees to that. Needs Linux and the right to mount, be it in a user namespace.
 *
 * @throws `failed_precondition` if the file system cannot hold layers of overlays; `permission_denied`,
 * `unimplemented`, `resource_exhausted` and others, as the system has it
 */
export async function openOverlaySnapshotter(options: OpenSnapshotterOptions): Promise<OverlaySnapshotter> {
  return await openLocalSnapshotter(
    options,
    async (root) => overlayForm(await probeOverlay(root)),
    ({ form, ...parts }) => new OverlaySnapshotter(parts, form),
  )
}
