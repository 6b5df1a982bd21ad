import { type Manifest, mediaTypes } from '@nsbox/oci'

/** Whether a manifest is that of an image, and not of another artifact. */
export function isImage({ config }: Pick<Manifest, 'config'>): boolean {
  return config.mediaType === mediaTypes.ociConfig || config.mediaType === mediaTypes.dockerConfig
}
