import type { AbortOptions } from '@nsbox/core/content'
import type { Image, ImageStore } from '@nsbox/core/images'
import type { Labels } from '@nsbox/core/labels'
import { isAlreadyExists } from '@nsbox/errors'
import type { Descriptor } from '@nsbox/oci'

/** Records an image under its name; an existing one then points to the target and gets the labels. */
export async function recordImage(
  images: ImageStore,
  image: { readonly name: string; readonly target: Descriptor; readonly labels: Labels },
  options: AbortOptions,
): Promise<Image> {
  try {
    return await images.create(image, options)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    return await images.update(image.name, { target: image.target, labels: { merge: image.labels } }, options)
  }
}
