import type { AbortOptions, ContentStore } from '@nsbox/core/content'
import type { Image, ImageStore } from '@nsbox/core/images'
import type { Labels } from '@nsbox/core/labels'
import type { ProgressListener } from '@nsbox/core/transfer'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, onlyPlatform } from '@nsbox/oci'
import type { ImageChoice } from '../documents/choose-children.ts'
import { recordImage } from '../documents/record-image.ts'
import { ProgressTracker } from '../progress/progress-tracker.ts'
import { ArchiveBlobs } from './archive-blobs.ts'
import { readArchiveIndex, storeArchiveIndex } from './archive-index.ts'
import { directoryFiles } from './directory-files.ts'
import { GatheredFiles } from './gathered-files.ts'
import { holdImage } from './hold-image.ts'
import { type ImageNaming, imageNames } from './image-naming.ts'
import { tarFiles } from './tar-files.ts'

/**
 * An archive of images: the bytes of a tar, plain or compressed by gzip or zstd, or the directory of an extracted one.
 */
export type ImageArchive = AsyncIterable<Uint8Array> | { readonly directory: string }

/** How to import. */
export interface ImportOptions extends ImageChoice, AbortOptions {
  /** Store for blobs; bound to a lease if a collector could run meanwhile. */
  readonly content: ContentStore
  readonly images: ImageStore
  /** How to name the images: each gets the names of all of these; by default only whole names in the archive. */
  readonly naming?: readonly ImageNaming[] | undefined
  /** Names for an image of the archive's whole index; none by default. */
  readonly indexNames?: ((index: Descriptor) => readonly string[]) | undefined
  /** Compress the layers of a Docker archive that are not compressed; not by default. */
  readonly compressBlobs?: boolean | undefined
  /**
   * Hold only the documents, so that the collector removes layers without another reference, for example after they
   * have been unpacked; not by default.
   */
  readonly discardLayers?: boolean | undefined
  /** Called with each image when all are complete, and before any is recorded; an error ends the import. */
  readonly prepare?: ((target: Descriptor) => Promise<void>) | undefined
  /** Labels of the images. */
  readonly labels?: Labels | undefined
  readonly onProgress?: ProgressListener | undefined
}

/** The result of an import. */
export interface ImportSummary {
  /** The recorded images, in the archive's order. */
  readonly images: readonly Image[]
  /** Names of images that were left out because they are for other platforms. */
  readonly otherPlatforms: readonly string[]
}

/**
 * Imports images from an archive in the form of an OCI image layout or of `docker save`, with entries in any order, in
 * one pass. Every blob is verified before it is stored. An image is recorded, or an earlier one with its name changed,
 * only when all images are complete and labelled.
 *
 * @throws `invalid_argument` for an invalid archive or document, `data_loss` for one that is damaged or truncated,
 * `not_found` for missing content and if no image of the archive has a name or is for the platforms,
 * `resource_exhausted` beyond a limit. A failed import leaves blobs that only the lease holds.
 */
export async function importImages(source: ImageArchive, options: ImportOptions): Promise<ImportSummary> {
  const { content, images, naming: namings = [{}], discardLayers = false, labels = {}, signal } = options
  using progress = new ProgressTracker(options.onProgress)
  signal?.throwIfAborted()
  progress.say('Importing')
  const blobs = new ArchiveBlobs(content, signal)
  const found = 'directory' in source ? directoryFiles(source.directory, signal) : tarFiles(source, signal)
  const files = await GatheredFiles.from(found, blobs)
  const compress = options.compressBlobs ?? false
  const index = await readArchiveIndex({ files, blobs, content, compress, signal })

  const wanted = chosenManifests(index.manifests, options)
  const named = namedImages([...wanted.keys()], namings)
  const wholes = new Map<string, Descriptor>()
  if (options.indexNames !== undefined && wanted.size > 0) {
    const whole = await storeArchiveIndex(index, { content, blobs, signal })
    for (const name of options.indexNames(whole)) wholes.set(name, whole)
  }
  const others = index.manifests.filter((manifest) => !wanted.has(manifest))
  const otherPlatforms = others.flatMap((manifest) => namesOf(manifest, namings))
  for (const [name, whole] of wholes) named.set(name, whole)
  if (named.size === 0) throw nothingToImport(index.manifests, otherPlatforms)

  const held = new Set<string>()
  const { platforms, allMetadata, manifestLimit } = options
  const holding = { content, platforms, allMetadata, manifestLimit, held, discardLayers, signal }
  const targets = new Set(named.values())
  for (const [target, layers] of wanted)
    if (wholes.size > 0 || targets.has(target)) await holdImage(target, { ...holding, layers })
  for (const target of targets) await options.prepare?.(target)
  const recorded: Image[] = []
  for (const [name, target] of named) {
    recorded.push(await recordImage(images, { name, target, labels }, { signal }))
    progress.say('saved', { name, descriptor: target })
  }
  progress.say('Completed import')
  return { images: recorded, otherPlatforms }
}

/**
 * The manifests to take from an archive, and whether to take their layers. The archive may have several images for one
 * platform, and one without a platform may be for any.
 */
function chosenManifests(
  manifests: readonly Descriptor[],
  { platforms = [], allMetadata = false, manifestLimit }: ImageChoice,
): Map<Descriptor, boolean> {
  const rank = ({ platform }: Descriptor) =>
    platform === undefined
      ? platforms.length
      : platforms.findIndex((wanted) => onlyPlatform(wanted)(platform) !== undefined)
  const fitting = platforms.length === 0 ? manifests : manifests.filter((manifest) => rank(manifest) >= 0)
  const others = allMetadata ? manifests.filter((manifest) => !fitting.includes(manifest)) : []
  const ordered = [...[...fitting].sort((a, b) => rank(a) - rank(b)), ...others]
  const kept = new Set(ordered.slice(0, manifestLimit))
  return new Map(
    manifests.flatMap((manifest) => (kept.has(manifest) ? [[manifest, !others.includes(manifest)]] : [])),
  )
}

function namedImages(
  manifests: readonly Descriptor[],
  namings: readonly ImageNaming[],
): Map<string, Descriptor> {
  const named = new Map<string, Descriptor>()
  for (const manifest of manifests) {
    for (const name of namesOf(manifest, namings)) {
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

function namesOf(manifest: Descriptor, namings: readonly ImageNaming[]): string[] {
  return namings.flatMap((naming) => imageNames(manifest, naming))
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
