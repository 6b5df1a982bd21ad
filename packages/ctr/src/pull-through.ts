import type { Client } from '@nsbox/client'
import { type Fetched, type PullOptions, pullImage } from '@nsbox/images'
import type { Platform } from '@nsbox/oci'

/** How to pull with this process as the registry's client. */
export interface PullThroughOptions extends Omit<PullOptions, 'content' | 'images' | 'unpack'> {
  /** What to unpack, and the name of the snapshotter to use; nothing by default. */
  readonly unpackFor?:
    | { readonly platforms: readonly Platform[]; readonly snapshotterName: string }
    | undefined
}

/**
 * Pulls with this process as the registry's client, into the stores behind `client`. A lease holds what arrives until
 * the image is recorded.
 */
export async function pullThrough(
  client: Client,
  { unpackFor, ...options }: PullThroughOptions,
): Promise<Omit<Fetched, 'target'>> {
  await using lease = await client.createLease({ signal: options.signal })
  const { content, images, applier } = lease.client
  const unpack = unpackFor?.platforms.map((platform) => {
    const { snapshotterName } = unpackFor
    return { platform, snapshotterName, snapshotter: lease.client.snapshotter(snapshotterName), applier }
  })
  return await pullImage({ ...options, content, images, unpack })
}
