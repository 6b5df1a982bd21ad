import { type AbortOptions, type ContentReader, readImageConfig, readManifest } from '@nsbox/core/content'
import {
  type Descriptor,
  type Digest,
  defaultPlatform,
  descriptorJson,
  digestAlgorithm,
  digestHex,
  distributionSourceLabels,
  imageLayoutVersion,
  imageNameAnnotation,
  mediaTypes,
  onlyPlatform,
  type Platform,
  parseReference,
  refNameAnnotation,
} from '@nsbox/oci'
import { isImage } from '../documents/is-image.ts'
import type { ExportedImage, ExportPlan } from './export-plan.ts'

/** The path of a blob in an image layout (OCI image specification, image-layout.md). */
export function blobName(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`
}

/** The `oci-layout` document. */
export const layoutDocument: Buffer = Buffer.from(JSON.stringify({ imageLayoutVersion }))

/**
 * The `index.json` of a layout: the images in order, each with its name and, according to its labels, the repositories
 * that it came from, so that its blobs can be mounted from there after an import.
 */
export async function indexDocument(
  images: readonly ExportedImage[],
  { content, signal }: { readonly content: ContentReader } & AbortOptions,
): Promise<Buffer> {
  const manifests = []
  for (const { name, target } of images) {
    const { labels } = await content.info(target.digest, { signal })
    const annotations = {
      ...target.annotations,
      ...distributionSourceLabels(labels),
      [imageNameAnnotation]: name,
      [refNameAnnotation]: referenceName(name),
    }
    manifests.push(descriptorJson({ ...target, annotations }))
  }
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }))
}

/** The part of a name after the repository; the whole name if it is no reference. */
function referenceName(name: string): string {
  return reference(name)?.object || name
}

function reference(name: string) {
  try {
    return parseReference(name)
  } catch {
    // Images may have any name.
    return undefined
  }
}

/**
 * The `manifest.json` that `docker load` reads, which supports one platform: for each image, its best manifest for the
 * first of the platforms, by default that of this process. Images for other platforms, and manifests of other
 * artifacts, are left out.
 */
export async function dockerDocument(
  { manifests }: ExportPlan,
  options: { readonly content: ContentReader; readonly platforms: readonly Platform[] } & AbortOptions,
): Promise<Buffer> {
  const { content, platforms, signal } = options
  const matcher = onlyPlatform(platforms[0] ?? defaultPlatform())
  const entries = new Map<Digest, { Config: string; RepoTags: string[]; Layers: string[] }>()
  for (const [image, candidates] of manifests) {
    const best = await bestManifest(candidates)
    if (best === undefined) continue
    const tag = dockerTag(image.name)
    const entry = entries.get(best.descriptor.digest)
    if (entry !== undefined) {
      if (tag !== undefined) entry.RepoTags.push(tag)
      continue
    }
    entries.set(best.descriptor.digest, {
      Config: blobName(best.config.digest),
      RepoTags: tag === undefined ? [] : [tag],
      Layers: best.layers.map(({ digest }) => blobName(digest)),
    })
  }
  return Buffer.from(JSON.stringify([...entries.values()]))

  async function bestManifest(candidates: readonly Descriptor[]) {
    let best:
      | { rank: number; descriptor: Descriptor; config: Descriptor; layers: readonly Descriptor[] }
      | undefined
    for (const descriptor of candidates) {
      const { config, layers } = await readManifest(content, descriptor, { signal })
      if (!isImage({ config })) continue
      const parsed = await readImageConfig(content, config, { signal })
      const platform = descriptor.platform ?? parsed.platform
      const rank = platform === undefined ? Number.MAX_SAFE_INTEGER : matcher(platform)
      if (rank !== undefined && (best === undefined || rank < best.rank))
        best = { rank, descriptor, config, layers }
    }
    return best
  }
}

/** A name as Docker shows it; undefined for one without a tag, which Docker could not load. */
function dockerTag(name: string): string | undefined {
  const { host, repository, tag } = reference(name) ?? {}
  if (tag === undefined) return undefined
  return host === 'docker.io'
    ? `${repository?.replace(/^library\//, '')}:${tag}`
    : `${host}/${repository}:${tag}`
}
