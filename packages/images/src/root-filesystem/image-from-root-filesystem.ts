import type { AbortOptions, ContentStore } from '@nsbox/core/content'
import type { Image, ImageStore } from '@nsbox/core/images'
import type { Labels } from '@nsbox/core/labels'
import { compressorFor, inBlocks } from '@nsbox/diff/archive'
import {
  type ContainerDefaults,
  childGcLabels,
  createHasher,
  type Descriptor,
  defaultPlatform,
  descriptorJson,
  imageConfigJson,
  labelKeys,
  mediaTypes,
  type Platform,
} from '@nsbox/oci'
import { ArchiveBlobs } from '../archive/archive-blobs.ts'
import { recordImage } from '../documents/record-image.ts'
import {
  type RootFilesystem,
  type RootFilesystemLayerOptions,
  rootFilesystemLayer,
} from './root-filesystem-layer.ts'

/** How to make an image of a root file system. */
export interface RootFilesystemOptions extends RootFilesystemLayerOptions, AbortOptions {
  /** Store for blobs; bound to a lease if a collector could run meanwhile. */
  readonly content: ContentStore
  readonly images: ImageStore
  /** Name of the image; an existing image with that name then points to the new one. */
  readonly name: string
  /** Platform of the image; that of this process by default. */
  readonly platform?: Platform | undefined
  /** Defaults for its containers; unset by default. */
  readonly config?: Partial<ContainerDefaults> | undefined
  /** Labels of the image's record. */
  readonly labels?: Labels | undefined
}

/**
 * Makes an image with one layer from a root file system, and records it. It needs no privileges beyond reading the
 * files; devices, owners and attributes are taken from the file system. With `sourceDateEpoch`, that is the image's
 * creation time, and nothing depends on the present: the same file system and options give the same image.
 *
 * @throws `invalid_argument` for an invalid config; as `rootFilesystemLayer`; the errors of the stores
 */
export async function imageFromRootFilesystem(
  source: RootFilesystem,
  options: RootFilesystemOptions,
): Promise<Image> {
  const {
    content,
    images,
    name,
    platform = defaultPlatform(),
    sourceDateEpoch,
    labels = {},
    signal,
  } = options
  const config = { ...nothing, ...options.config }
  const document = (diffIds: Parameters<typeof imageConfigJson>[0]['diffIds']) =>
    imageConfigJson(
      { platform, diffIds, config },
      { created: sourceDateEpoch, createdBy: 'nsbox root file system' },
    )
  // Checks the config before the work begins.
  document([])
  const blobs = new ArchiveBlobs(content, signal)

  const hasher = createHasher()
  const blocks = inBlocks(rootFilesystemLayer(source, options))
  const zipped = compressorFor('gzip')(hashed(blocks), { signal })
  const layer = await blobs.write(zipped, { name: `layer of ${name}` })
  const diffId = hasher.digest()
  await content.update(layer, { merge: { [labelKeys.uncompressed]: diffId } }, { signal })
  const { size } = await content.info(layer, { signal })
  const layers: Descriptor[] = [{ mediaType: mediaTypes.ociLayerGzip, digest: layer, size }]
  const configBlob = await json(document([diffId]), mediaTypes.ociConfig)
  const children = { config: descriptorJson(configBlob), layers: layers.map(descriptorJson) }
  const mediaType = mediaTypes.ociManifest
  const target = await json({ schemaVersion: 2, mediaType, ...children }, mediaType)
  await content.update(target.digest, { merge: childGcLabels([configBlob, ...layers]) }, { signal })
  return await recordImage(images, { name, target, labels }, { signal })

  async function* hashed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      hasher.update(chunk)
      yield chunk
    }
  }

  async function json(value: object, mediaType: string): Promise<Descriptor> {
    const bytes = Buffer.from(JSON.stringify(value))
    const digest = await blobs.write([bytes], { name: `${mediaType} of ${name}`, size: bytes.length })
    return { mediaType, digest, size: bytes.length }
  }
}

const nothing: ContainerDefaults = { env: [], entrypoint: [], cmd: [], labels: {}, volumes: [] }
