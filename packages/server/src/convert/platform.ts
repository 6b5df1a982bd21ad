import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import type { PlatformSchema } from '@nsbox/api/gen/types/platform_pb'
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

/** The message of a platform. */
export function toPlatformMessage(platform: Platform): MessageInitShape<typeof PlatformSchema> {
  const { os, architecture, variant = '', osVersion = '', osFeatures = [] } = platform
  return { os, architecture, variant, osVersion, osFeatures: [...osFeatures] }
}
