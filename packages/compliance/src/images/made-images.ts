import type { Image } from '@nsbox/core/images'
import { type Descriptor, digestOf } from '@nsbox/oci'

/** A target whose content exists nowhere. */
export function target(seed: string, more: Partial<Descriptor> = {}): Descriptor {
  return {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(`target ${seed}`),
    size: 500,
    ...more,
  }
}

/** An image that can be compared with literals, whatever the prototypes of its maps. */
export function plain(image: Image) {
  const { annotations, ...rest } = image.target
  return {
    ...image,
    target: { ...rest, ...(annotations && { annotations: { ...annotations } }) },
    labels: { ...image.labels },
  }
}
