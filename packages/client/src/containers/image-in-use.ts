import type { AbortOptions } from '@nsbox/core/content'
import type { Snapshotter } from '@nsbox/core/snapshots'
import { isNotFound, NsboxError, undefinedIf } from '@nsbox/errors'
import type { Descriptor, Platform } from '@nsbox/oci'
import type { ContainerStores } from './container-stores.ts'
import { describeImage, type ImageDescription } from './image-description.ts'
import type { UnpackRequest } from './restore-container.ts'

/** An image that is unpacked. */
export interface ImageInUse extends ImageDescription {
  readonly name: string
  readonly snapshotterName: string
  /** Binds what it makes to the lease of the view. */
  readonly snapshotter: Snapshotter
}

/** Which image to use, and how it comes to be there. */
export interface ImageRequest extends AbortOptions {
  readonly name: string
  readonly platform: Platform
  /** Name of the snapshotter. */
  readonly snapshotter: string
  /** Pulls and unpacks the image where that is missing; undefined if it is not to be pulled. */
  readonly pull?: ((options: AbortOptions) => Promise<unknown>) | undefined
  /** Unpacks an image whose content is there; it is pulled again by default. */
  readonly unpack?: ((image: Descriptor, request: UnpackRequest) => Promise<unknown>) | undefined
}

/**
 * Finds an image, and pulls and unpacks it as far as it is not.
 *
 * @param view with a lease that keeps what is unpacked
 * @throws `not_found` for the image or the platform; `failed_precondition` for another artifact, and for one that is
 * not unpacked and cannot be; as `pull` and `unpack`
 */
export async function useImage(view: ContainerStores, request: ImageRequest): Promise<ImageInUse> {
  const { name, platform, pull, signal, snapshotter: snapshotterName, unpack } = request
  const snapshotter = view.snapshotter(snapshotterName)
  const there = pull ? await undefinedIf(isNotFound, look()) : await look()
  if (there?.isUnpacked) return there.image
  if (there && unpack) {
    await unpack(there.target, { platform, snapshotter: snapshotterName, lease: view.lease ?? '', signal })
    return there.image
  }
  if (pull === undefined) throw notUnpacked(name)
  await pull({ signal })
  const { image, isUnpacked } = await look()
  if (!isUnpacked) throw notUnpacked(name)
  return image

  async function look(): Promise<{ image: ImageInUse; target: Descriptor; isUnpacked: boolean }> {
    const { target } = await view.images.get(name, { signal })
    const described = await describeImage(view.content, target, { platform, signal })
    const isUnpacked =
      described.chainId === undefined || (await isCommitted(snapshotter, described.chainId, { signal }))
    return { image: { ...described, name, snapshotterName, snapshotter }, target, isUnpacked }
  }
}

async function isCommitted(snapshotter: Snapshotter, name: string, options: AbortOptions): Promise<boolean> {
  const found = await undefinedIf(isNotFound, snapshotter.stat(name, options))
  if (found === undefined || found.kind === 'committed') return found !== undefined
  throw new NsboxError('failed_precondition', `snapshot ${name} is in the way, since it is not committed`)
}

function notUnpacked(name: string): NsboxError {
  return new NsboxError('failed_precondition', `image ${JSON.stringify(name)} is not unpacked`)
}
