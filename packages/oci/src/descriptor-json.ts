import type { Descriptor } from './descriptor.ts'

/**
 * A descriptor for a JSON document. Fields have the order of the image specification's Go library and annotations are
 * sorted, so that both write the same bytes.
 */
export function descriptorJson(descriptor: Descriptor): Readonly<Record<string, unknown>> {
  const { mediaType, digest, size, urls, annotations, data, platform, artifactType } = descriptor
  return {
    mediaType,
    digest,
    size,
    ...(urls && { urls }),
    ...(annotations && { annotations: sorted(annotations) }),
    ...(data !== undefined && { data }),
    ...(platform && {
      platform: {
        architecture: platform.architecture,
        os: platform.os,
        ...(platform.osVersion && { 'os.version': platform.osVersion }),
        ...(platform.osFeatures && { 'os.features': platform.osFeatures }),
        ...(platform.variant && { variant: platform.variant }),
      },
    }),
    ...(artifactType && { artifactType }),
  }
}

function sorted(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1)))
}
