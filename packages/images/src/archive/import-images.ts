import type { AbortOptions, ContentStore } from '@nsbox/core/content'
import type { Image, ImageStore } from '@nsbox/core/images'
import type { Labels } from '@nsbox/core/labels'
import type { ProgressListener } from '@nsbox/core/transfer'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, onlyPlatform, type Platform } from '@nsbox/oci'
import { recordImage } from '../documents/record-image.ts'
import { ProgressTracker } from '../progress/progress-tracker.ts'
import { ArchiveBlobs } from './archive-blobs.ts'
import { readArchiveIndex, storeArchiveIndex } from './archive-index.ts'
import { directoryFiles } from './directory-files.ts'
import { GatheredFiles } from './gathered-files.ts'
import { holdImage } from './hold-image.ts'
import { type ImageNaming, imageNames } from './image-naming.ts'
import { tarFiles } from './tar-files.ts'

/** An archive of images: the bytes of a tar, plain or compressed by gzip or zstd, or the directory that one holds. */
export type ImageArchive = AsyncIterable<Uint8Array> | { readonly directory: string }

/** How to import. */
export interface ImportOptions extends ImageNaming, AbortOptions {
  /** Where blobs go; bound to a lease if a collector could run meanwhile. */
  readonly content: ContentStore
  readonly images: ImageStore
  /** Platforms to take; all of them if absent or empty. Of each platform, the best match of an index. */
  readonly platforms?: readonly Platform[] | undefined
  /** Keep the whole index of the archive as an image of this name; not by default. */
  readonly indexName?: string | undefined
  /** Compress the layers of a Docker archive that are not compressed; not by default. */
  readonly compressBlobs?: boolean | undefined
  /**
   * Hold only the documents, so that a collector takes the layers away once nothing else holds them, such as after they
   * have been unpacked; not by default.
   */
  readonly discardLayers?: boolean | undefined
  /** Labels of the images. */
  readonly labels?: Labels | undefined
  readonly onProgress?: ProgressListener | undefined
}

/** What an import did. */
export interface ImportSummary {
  /** The images as they are recorded now, in the archive's order. */
  readonly images: readonly Image[]
  /** Names of images that were left out, since they are for other platforms. */
  readonly otherPlatforms: readonly string[]
}

/**
 * Imports images from an archive in the form of an OCI image layout or of `docker save`, in any order of its entries
 * and in one pass. Every blob is proved on its way into the store. An image is recorded, or an earlier one of its name
 * changed, only once everything that it needs is there and labelled; nothing is recorded if one of them lacks
 * something.
 *
 * @throws `invalid_argument` for an archive or document that makes no sense, `data_loss` for one that is damaged or
 * truncated, `not_found` for missing content and where no image of the archive has a name or is for the platforms,
 * `resource_exhausted` beyond a limit. What a failed import leaves are blobs that nothing but the lease holds.
 */
export async function importImages(source: ImageArchive, options: ImportOptions): Promise<ImportSummary> {
  const { content, images, platforms = [], discardLayers = false, labels = {}, signal } = options
  using progress = new ProgressTracker(options.onProgress)
  signal?.throwIfAborted()
  progress.say('Importing')
  const blobs = new ArchiveBlobs(content, signal)
  const found = 'directory' in source ? directoryFiles(source.directory, signal) : tarFiles(source, signal)
  const files = await GatheredFiles.from(found, blobs)
  const compress = options.compressBlobs ?? false
  const index = await readArchiveIndex({ files, blobs, content, compress, signal })

  const wanted = index.manifests.filter((manifest) => isFor(manifest, platforms))
  const named = namedImages(wanted, options)
  if (options.indexName !== undefined && wanted.length > 0) {
    named.set(options.indexName, await storeArchiveIndex(index, { content, blobs, signal }))
  }
  const others = index.manifests.filter((manifest) => !wanted.includes(manifest))
  const otherPlatforms = others.flatMap((manifest) => imageNames(manifest, options))
  if (named.size === 0) throw nothingToImport(index.manifests, otherPlatforms)

  const held = new Set<string>()
  const targets = options.indexName === undefined ? [...named.values()] : wanted
  for (const target of targets) await holdImage(target, { content, platforms, held, discardLayers, signal })
  const recorded: Image[] = []
  for (const [name, target] of named) {
    recorded.push(await recordImage(images, { name, target, labels }, { signal }))
    progress.say('saved', { name, descriptor: target })
  }
  return { images: recorded, otherPlatforms }
}

function namedImages(manifests: readonly Descriptor[], naming: ImageNaming): Map<string, Descriptor> {
  const named = new Map<string, Descriptor>()
  for (const manifest of manifests) {
    for (const name of imageNames(manifest, naming)) {
      const before = named.get(name)
      if (before !== undefined && before.digest !== manifest.digest) {
        throw new NsboxError(
          'invalid_argument',
          `the archive has two images of the name ${JSON.stringify(name)}`,
        )
      }
      named.set(name, manifest)
    }
  }
  return named
}

/** Whether a manifest is for one of the platforms, as far as its descriptor tells. */
function isFor({ platform }: Descriptor, platforms: readonly Platform[]): boolean {
  return (
    platforms.length === 0 ||
    platform === undefined ||
    platforms.some((wanted) => onlyPlatform(wanted)(platform) !== undefined)
  )
}

function nothingToImport(manifests: readonly Descriptor[], otherPlatforms: readonly string[]): NsboxError {
  const why =
    manifests.length === 0
      ? 'it has none'
      : otherPlatforms.length > 0
        ? 'its images are for other platforms'
        : 'none of its images has a name'
  return new NsboxError('not_found', `images to import from the archive: ${why}`)
}
