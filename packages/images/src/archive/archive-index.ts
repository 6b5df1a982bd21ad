import { runYielding } from '@nsbox/concurrency'
import type { AbortOptions, ContentStore } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import {
  checkImageLayout,
  childGcLabels,
  type Descriptor,
  descriptorJson,
  digestOf,
  dockerArchiveSteps,
  indexSteps,
  isIndex,
  isManifest,
  mediaTypes,
} from '@nsbox/oci'
import type { ArchiveBlobs } from './archive-blobs.ts'
import { type DockerImagesOptions, dockerImages } from './docker-images.ts'

/** The index of an archive: its own document, or one that is made from Docker's. */
export interface ArchiveIndex {
  readonly bytes: Uint8Array
  readonly manifests: readonly Descriptor[]
}

/**
 * Finds the images of an archive: those of its image layout, or else those of `docker save`.
 *
 * @throws `invalid_argument` for an archive that is neither, or invalid documents; as `dockerImages`
 */
export async function readArchiveIndex(options: DockerImagesOptions): Promise<ArchiveIndex> {
  const { files, signal } = options
  const layout = files.document('oci-layout')
  if (layout !== undefined) {
    checkImageLayout(layout)
    const bytes = files.document('index.json')
    if (bytes === undefined) throw new NsboxError('invalid_argument', 'image layout without index.json')
    const steps = indexSteps(bytes, { mediaType: mediaTypes.ociIndex, digest: digestOf(bytes) })
    const { manifests } = await runYielding(steps, { signal })
    const stranger = manifests.find(({ mediaType }) => !isIndex(mediaType) && !isManifest(mediaType))
    if (stranger !== undefined) {
      throw new NsboxError('invalid_argument', `index.json: ${stranger.digest} is neither index nor manifest`)
    }
    return { bytes, manifests }
  }
  const document = files.document('manifest.json')
  if (document === undefined) {
    throw new NsboxError(
      'invalid_argument',
      'archive without oci-layout and manifest.json: no images known here',
    )
  }
  const images = await runYielding(dockerArchiveSteps(document), { signal })
  const manifests = await dockerImages(images, options)
  const json = { schemaVersion: 2, manifests: manifests.map(descriptorJson) }
  return { bytes: Buffer.from(JSON.stringify(json)), manifests }
}

/** Stores the index as a blob that refers to its manifests. */
export async function storeArchiveIndex(
  { bytes, manifests }: ArchiveIndex,
  { content, blobs, signal }: { readonly content: ContentStore; readonly blobs: ArchiveBlobs } & AbortOptions,
): Promise<Descriptor> {
  const size = bytes.byteLength
  const digest = await blobs.write([bytes], { name: 'index.json', size })
  await content.update(digest, { merge: childGcLabels(manifests) }, { signal })
  return { mediaType: mediaTypes.ociIndex, digest, size }
}
