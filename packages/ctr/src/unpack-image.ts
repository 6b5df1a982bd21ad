import type { ClientView } from '@nsbox/client'
import type { AbortOptions } from '@nsbox/core/content'
import { type UnpackedImage, unpackImage as unpack } from '@nsbox/images'
import type { Descriptor, Platform } from '@nsbox/oci'

/** What to unpack, and where. */
export interface UnpackImageOptions extends AbortOptions {
  readonly snapshotterName: string
  readonly platform: Platform
}

/** Unpacks an image whose content the server has, layer by layer as this process asks the server to. */
export async function unpackImage(
  client: ClientView,
  target: Descriptor,
  options: UnpackImageOptions,
): Promise<UnpackedImage> {
  const { content, applier } = client
  const snapshotter = client.snapshotter(options.snapshotterName)
  return await unpack(target, { ...options, content, applier, snapshotter })
}
