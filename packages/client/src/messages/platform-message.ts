import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Platform as PlatformMessage, PlatformSchema } from '@nsbox/api/gen/types/platform_pb'
import type { Platform } from '@nsbox/oci'

/** A platform for a request. */
export function platformMessage(platform: Platform): MessageInitShape<typeof PlatformSchema> {
  const { os, architecture, variant = '', osVersion = '', osFeatures = [] } = platform
  return { os, architecture, variant, osVersion, osFeatures: [...osFeatures] }
}

/** A platform from a response. */
export function receivedPlatform(message: PlatformMessage): Platform {
  const { os, architecture, variant, osVersion, osFeatures } = message
  return {
    os,
    architecture,
    ...(variant && { variant }),
    ...(osVersion && { osVersion }),
    ...(osFeatures.length > 0 && { osFeatures }),
  }
}
