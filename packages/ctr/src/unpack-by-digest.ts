import { NsboxError } from '@nsbox/errors'
import { type Descriptor, type Digest, defaultPlatform } from '@nsbox/oci'
import { chosenSnapshotter } from './chosen-snapshotter.ts'
import type { Session } from './session.ts'
import { unpackImage } from './unpack-image.ts'

/** The target of an image of the image store, by its digest. @throws `not_found` */
export async function imageTarget({ client, signal }: Session, digest: Digest): Promise<Descriptor> {
  const [image] = await client.images.list([`target.digest==${digest}`], { signal })
  if (image === undefined) throw new NsboxError('not_found', `image with target ${digest}`)
  return image.target
}

/** Unpacks an image for this machine. @returns the chain id, undefined for an image without layers */
export async function unpackTarget(session: Session, target: Descriptor): Promise<Digest | undefined> {
  const { client, signal } = session
  const { name: snapshotterName } = await chosenSnapshotter(session)
  await using lease = await client.createLease({ signal })
  const options = { snapshotterName, platform: defaultPlatform(), signal }
  return (await unpackImage(lease.client, target, options)).chainId
}
