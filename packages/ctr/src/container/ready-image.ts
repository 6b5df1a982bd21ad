import type { ClientView } from '@nsbox/client'
import type { Snapshotter } from '@nsbox/core/snapshots'
import { type ImageDescription, readImage, snapshotExists } from '@nsbox/images'
import { defaultPlatform, type Platform } from '@nsbox/oci'
import { chosenSnapshotter } from '../chosen-snapshotter.ts'
import type { Session } from '../session.ts'
import { unpackImage } from '../unpack-image.ts'

/** An image that is unpacked. */
export interface ReadyImage extends ImageDescription {
  readonly name: string
  readonly snapshotterName: string
  /** Binds what it makes to the lease of `client`. */
  readonly snapshotter: Snapshotter
}

/**
 * Finds an image, and unpacks it if it is not.
 *
 * @param client with a lease that keeps what is unpacked
 * @throws `not_found` for the image or the platform; as `readImage` and `unpack`
 */
export async function readyImage(
  session: Session,
  client: ClientView,
  { name, platform = defaultPlatform() }: { readonly name: string; readonly platform?: Platform | undefined },
): Promise<ReadyImage> {
  const { signal } = session
  const [{ target }, { name: snapshotterName }] = await Promise.all([
    client.images.get(name, { signal }),
    chosenSnapshotter(session),
  ])
  const description = await readImage(client.content, target, { platform, signal })
  const snapshotter = client.snapshotter(snapshotterName)
  if (
    description.chainId !== undefined &&
    !(await snapshotExists(snapshotter, description.chainId, { signal }))
  ) {
    await unpackImage(client, target, { snapshotterName, platform, signal })
  }
  return { ...description, name, snapshotterName, snapshotter }
}
