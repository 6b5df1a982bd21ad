import type { AbortOptions, ContentReader } from '@nsbox/core/content'
import { isNotFound, NsboxError, undefinedIf } from '@nsbox/errors'
import type { Descriptor } from '@nsbox/oci'

/**
 * Whether a store has the content of a descriptor.
 * @param image for errors
 * @throws `data_loss` if it has another size there
 */
export async function hasContent(
  content: Pick<ContentReader, 'info'>,
  { digest, size }: Descriptor,
  image: string,
  options: AbortOptions,
): Promise<boolean> {
  const info = await undefinedIf(isNotFound, content.info(digest, options))
  if (info !== undefined && info.size !== size)
    throw new NsboxError(
      'data_loss',
      `image ${image}: content ${digest} has ${info.size} bytes, its descriptor says ${size}`,
    )
  return info !== undefined
}
