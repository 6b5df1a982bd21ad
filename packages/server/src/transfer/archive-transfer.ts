import type { AbortOptions } from '@nsbox/core/content'
import type { LeaseStore } from '@nsbox/core/leases'
import type {
  ArchiveSink,
  ArchiveSource,
  ImageEndpoint,
  ImageReference,
  ProgressListener,
} from '@nsbox/core/transfer'
import { isNotFound } from '@nsbox/errors'
import {
  exportImages,
  type Flights,
  type ImageNaming,
  importImages,
  type UnpackWish,
  unpackImage,
} from '@nsbox/images'
import type { NamespaceView } from '@nsbox/metadata'
import { labelKeys } from '@nsbox/oci'
import { findImages } from './find-images.ts'
import { imageNames } from './image-names.ts'

type Progress = { readonly onProgress?: ProgressListener | undefined } & AbortOptions

/** Imports the images of an archive, and unpacks them before they are recorded if asked to. */
export async function importArchive(
  { content, images }: Pick<NamespaceView, 'content' | 'images'>,
  source: ArchiveSource,
  destination: ImageEndpoint,
  options: Progress & { readonly wishes: readonly UnpackWish[]; readonly flights: Flights },
): Promise<void> {
  const { wishes, flights, onProgress, signal } = options
  const { labels, platforms, allMetadata, manifestLimit, references = [] } = destination
  await importImages(source.bytes, {
    naming: references.filter(({ isPrefix }) => isPrefix).map(naming),
    indexNames: (index) => imageNames(destination, index),
    content,
    images,
    platforms,
    allMetadata,
    manifestLimit,
    labels,
    compressBlobs: source.compressBlobs,
    async prepare(target) {
      for (const wish of wishes) await unpackImage(target, { ...wish, content, flights, onProgress, signal })
    },
    onProgress,
    signal,
  })
}

/** How a prefix of a client names the images of an archive. */
function naming({ name, allowOverwrite, addDigest, skipNamedDigest }: ImageReference): ImageNaming {
  return {
    baseName: name,
    onlyBaseName: !allowOverwrite,
    filterWholeNames: true,
    digestNames: addDigest ? (skipNamedDigest ? 'unnamed' : 'all') : 'none',
  }
}

/** Exports images as an archive. */
export async function exportArchive(
  { content, images }: Pick<NamespaceView, 'content' | 'images'>,
  source: ImageEndpoint,
  sink: ArchiveSink,
  { onProgress, signal }: Progress,
): Promise<void> {
  const say = (event: string) => onProgress?.({ event, name: '', parents: [], progress: 0, total: 0 })
  say('Exporting')
  const found = await findImages(images, source, { signal })
  const { platforms, skipDockerManifest, skipNonDistributable } = sink
  const bytes = exportImages(found, { content, platforms, skipDockerManifest, skipNonDistributable, signal })
  await sink.take(bytes, { signal })
  say('Completed export')
}

/** Lifetime of the lease of an import, should the server be killed, in milliseconds. */
const leaseTime = 3_600_000

/** Runs work under a lease, which is deleted afterwards. */
export async function underOwnLease<T>(
  leases: LeaseStore,
  work: (lease: string) => Promise<T>,
  { signal }: AbortOptions = {},
): Promise<T> {
  const expiry = new Date(Date.now() + leaseTime).toISOString()
  const { id } = await leases.create({ labels: { [labelKeys.gcExpire]: expiry } }, { signal })
  try {
    return await work(id)
  } finally {
    await leases.delete(id).catch((error: unknown) => {
      // It may have expired, or a user have deleted it.
      if (!isNotFound(error)) throw error
    })
  }
}
