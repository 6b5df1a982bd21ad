import {
  type AbortOptions,
  type ContentReader,
  maxIndexDepth,
  readImageConfig,
  readManifest,
} from '@nsbox/core/content'
import { isNotFound } from '@nsbox/errors'
import { type Descriptor, isIndex, isManifest, type Platform } from '@nsbox/oci'
import { readChildren } from './children.ts'

/** The platforms of an image's manifests, from its index, or else the configs. Missing documents are ignored. */
export async function imagePlatforms(
  content: Pick<ContentReader, 'read'>,
  target: Descriptor,
  options: AbortOptions = {},
): Promise<Platform[]> {
  return await platformsOf(target, 0)

  async function platformsOf(descriptor: Descriptor, depth: number): Promise<Platform[]> {
    if (descriptor.platform !== undefined) return [descriptor.platform]
    if (depth > maxIndexDepth) return []
    try {
      if (isManifest(descriptor.mediaType)) return await configPlatform(content, descriptor, options)
      if (!isIndex(descriptor.mediaType)) return []
      const found: Platform[] = []
      for (const child of await readChildren(content, descriptor, options)) {
        found.push(...(await platformsOf(child, depth + 1)))
      }
      return found
    } catch (error) {
      if (isNotFound(error)) return []
      throw error
    }
  }
}

async function configPlatform(
  content: Pick<ContentReader, 'read'>,
  descriptor: Descriptor,
  options: AbortOptions,
): Promise<Platform[]> {
  const { config } = await readManifest(content, descriptor, options)
  const { platform } = await readImageConfig(content, config, options)
  return platform === undefined ? [] : [platform]
}
