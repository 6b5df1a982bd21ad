import { type AbortOptions, type ContentReader, readImageConfig } from '@nsbox/core/content'
import { compressorFor, sniffCompression } from '@nsbox/diff/archive'
import { NsboxError, quoted } from '@nsbox/errors'
import {
  type Descriptor,
  type Digest,
  type DockerArchiveImage,
  descriptorJson,
  digestAlgorithm,
  type ImageConfig,
  imageNameAnnotation,
  labelKeys,
  mediaTypes,
  normalizeReference,
  parseReference,
  refNameAnnotation,
} from '@nsbox/oci'
import { blobCompression } from '../documents/blob-compression.ts'
import type { ArchiveBlobs } from './archive-blobs.ts'
import type { GatheredFile, GatheredFiles } from './gathered-files.ts'

const layerTypes = {
  none: mediaTypes.dockerLayer,
  gzip: mediaTypes.dockerLayerGzip,
  zstd: mediaTypes.dockerLayerZstd,
} as const

/** How to import the images of a Docker archive. */
export interface DockerImagesOptions extends AbortOptions {
  readonly files: GatheredFiles
  readonly blobs: ArchiveBlobs
  readonly content: ContentReader
  /** Compress layers that are not compressed. */
  readonly compress: boolean
}

/**
 * Makes manifests for the images of a Docker archive, which has none, and stores them and all content that they refer
 * to. Layers without compression are verified against the config's diff ids.
 *
 * @returns the manifests in the archive's order, one for each name of an image, which is in its annotations
 * @throws `not_found` for a file that the archive lacks, `data_loss` for a layer with another diff id than in the
 * config, `invalid_argument` for invalid documents
 */
export async function dockerImages(
  images: readonly DockerArchiveImage[],
  options: DockerImagesOptions,
): Promise<Descriptor[]> {
  const manifests: Descriptor[] = []
  for (const image of images) {
    const manifest = await dockerImage(image, options)
    if (image.repoTags.length === 0) manifests.push(manifest)
    for (const tag of image.repoTags) {
      const name = normalizeReference(tag)
      const annotations = { [imageNameAnnotation]: name, [refNameAnnotation]: parseReference(name).object }
      manifests.push({ ...manifest, annotations })
    }
  }
  return manifests
}

async function dockerImage(image: DockerArchiveImage, options: DockerImagesOptions): Promise<Descriptor> {
  const { blobs, content, signal } = options
  const file = existing(image.config, options)
  await stored(file, blobs)
  const parsed = await readImageConfig(content, file, { signal })
  const layers = await dockerLayers(image, parsed, options)
  const config = { mediaType: mediaTypes.dockerConfig, digest: file.digest, size: file.size }
  const mediaType = mediaTypes.dockerManifest
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: descriptorJson(config),
    layers: layers.map(descriptorJson),
  }
  const bytes = Buffer.from(JSON.stringify(manifest))
  const digest = await blobs.write([bytes], { name: `manifest of ${image.config}`, size: bytes.length })
  return { mediaType, digest, size: bytes.length, ...(parsed.platform && { platform: parsed.platform }) }
}

async function dockerLayers(
  image: DockerArchiveImage,
  { diffIds }: ImageConfig,
  options: DockerImagesOptions,
): Promise<Descriptor[]> {
  if (diffIds.length !== image.layers.length) {
    throw new NsboxError(
      'invalid_argument',
      `image with config ${quoted(image.config)}: ${image.layers.length} layers, its config names ${diffIds.length}`,
    )
  }
  const layers: Descriptor[] = []
  for (const [index, name] of image.layers.entries()) {
    layers.push(await dockerLayer(existing(name, options), diffIds[index]!, options))
  }
  return layers
}

async function dockerLayer(
  file: GatheredFile,
  diffId: Digest,
  { blobs, content, compress, signal }: DockerImagesOptions,
): Promise<Descriptor> {
  await stored(file, blobs)
  const { digest, size } = file
  const compression = file.bytes
    ? sniffCompression(file.bytes)
    : await blobCompression(content, digest, { signal })
  if (compression !== 'none') return { mediaType: layerTypes[compression], digest, size }
  if (digest !== diffId && digestAlgorithm(diffId) === digestAlgorithm(digest)) {
    throw new NsboxError(
      'data_loss',
      `archive entry ${quoted(file.name)}: has digest ${digest}, the image's config says ${diffId}`,
    )
  }
  if (!compress) return { mediaType: layerTypes.none, digest, size }
  return await compressed(file, { blobs, content, signal })
}

async function compressed(
  { name, digest }: GatheredFile,
  { blobs, content, signal }: Pick<DockerImagesOptions, 'blobs' | 'content' | 'signal'>,
): Promise<Descriptor> {
  const labels = { [labelKeys.uncompressed]: digest }
  const zipped = compressorFor('gzip')(content.read(digest, { signal }), { signal })
  const made = await blobs.write(zipped, { name, labels })
  return { mediaType: layerTypes.gzip, digest: made, size: (await content.info(made, { signal })).size }
}

function existing(name: string, { files }: DockerImagesOptions): GatheredFile {
  const file = files.find(name)
  if (file === undefined) throw new NsboxError('not_found', `archive entry ${quoted(name)}`)
  return file
}

/** Stores a file that is only in memory. */
async function stored({ name, size, digest, bytes }: GatheredFile, blobs: ArchiveBlobs): Promise<void> {
  if (bytes !== undefined) await blobs.write([bytes], { name, size, expected: digest })
}
