import type { MessageInitShape } from '@bufbuild/protobuf'
import { toBigInt, toSafeNumber } from '@nsbox/api'
import type { Descriptor as DescriptorMessage, DescriptorSchema } from '@nsbox/api/gen/types/descriptor_pb'
import { type Descriptor, parseDigest } from '@nsbox/oci'

/** A descriptor for a request; of its fields the API has only these four. */
export function descriptorMessage(descriptor: Descriptor): MessageInitShape<typeof DescriptorSchema> {
  return {
    mediaType: descriptor.mediaType,
    digest: descriptor.digest,
    size: toBigInt(descriptor.size, 'size'),
    annotations: { ...descriptor.annotations },
  }
}

/** A descriptor from a response. */
export function receivedDescriptor(message: DescriptorMessage): Descriptor {
  const { mediaType, digest, size, annotations } = message
  return {
    mediaType,
    digest: parseDigest(digest),
    size: toSafeNumber(size, 'size'),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  }
}
