import { create, type MessageShape } from '@bufbuild/protobuf'
import { toBigInt, toSafeNumber } from '@nsbox/api'
import { DescriptorSchema } from '@nsbox/api/gen/types/descriptor_pb'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, parseDigest } from '@nsbox/oci'

/** The message of a descriptor. */
export function toDescriptorMessage(descriptor: Descriptor): MessageShape<typeof DescriptorSchema> {
  return create(DescriptorSchema, {
    mediaType: descriptor.mediaType,
    digest: descriptor.digest,
    size: toBigInt(descriptor.size, 'descriptor.Size'),
    annotations: { ...descriptor.annotations },
  })
}

/**
 * The descriptor in a message.
 *
 * @param context names it in errors, such as `target`
 * @throws `invalid_argument` if it is missing, or its digest or size is invalid
 */
export function fromDescriptorMessage(
  message: MessageShape<typeof DescriptorSchema> | undefined,
  context: string,
): Descriptor {
  if (message === undefined) throw new NsboxError('invalid_argument', `${context} must be set`)
  const annotations = Object.entries(message.annotations)
  return {
    mediaType: message.mediaType,
    digest: parseDigest(message.digest),
    size: toSafeNumber(message.size, `${context}.Size`),
    ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
  }
}
