import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import type { PlatformSchema } from '@nsbox/api/gen/types/platform_pb'
import { NsboxError } from '@nsbox/errors'
import { normalizePlatform, type Platform } from '@nsbox/oci'

/** The platform in a message, normalised. */
export function fromPlatformMessage(message: MessageShape<typeof PlatformSchema>): Platform {
  return normalizePlatform({
    os: message.os,
    architecture: message.architecture,
    ...(message.variant === '' ? {} : { variant: message.variant }),
    ...(message.osVersion === '' ? {} : { osVersion: message.osVersion }),
    ...(message.osFeatures.length === 0 ? {} : { osFeatures: message.osFeatures }),
  })
}

/** Most platforms of one call: each is searched for in all entries of an index. */
const maxPlatforms = 32

/** The platforms of a call. @throws `invalid_argument` for more than 32 */
export function fromPlatformMessages(messages: readonly MessageShape<typeof PlatformSchema>[]): Platform[] {
  if (messages.length > maxPlatforms)
    throw new NsboxError(
      'invalid_argument',
      `${messages.length} platforms, at most ${maxPlatforms} are allowed`,
    )
  return messages.map(fromPlatformMessage)
}

/** The message of a platform. */
export function toPlatformMessage(platform: Platform): MessageInitShape<typeof PlatformSchema> {
  const { os, architecture, variant = '', osVersion = '', osFeatures = [] } = platform
  return { os, architecture, variant, osVersion, osFeatures: [...osFeatures] }
}
