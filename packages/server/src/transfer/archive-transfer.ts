import type { AbortOptions } from '@nsbox/core/content'
import type { LeaseStore } from '@nsbox/core/leases'
import type {
  ArchiveSink,
  ArchiveSource,
  ImageEndpoint,
  ImageReference,
  ProgressListener,
} from '@nsbox/core/transfer'
import { isNotFound, NsboxError } from '@nsbox/errors'
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

type Progress = { readonly onProgress?: ProgressListener | undefined } & AbortOptions

/** Imports the images of an archive, and unpacks them if asked to. */
export async function importArchive(
  { content, images }: Pick<NamespaceView, 'content' | 'images'>,
  source: ArchiveSource,
  destination: ImageEndpoint,
  options: Progress & { readonly wishes: readonly UnpackWish[]; readonly flights: Flights },
): Promise<void> {
  const { wishes, flights, onProgress, signal } = options
  if (destination.allMetadata) throw new NsboxError('unimplemented', 'all_metadata of an import')
  const { name, labels, platforms, references = [] } = destination
  const imported = await importImages(source.bytes, {
    ...naming(references),
    content,
    images,
    platforms,
    labels,
    indexName: name || undefined,
    compressBlobs: source.compressBlobs,
    onProgress,
    signal,
  })
  for (const { target } of imported.images) {
    for (const wish of wishes) await unpackImage(target, { ...wish, content, flights, onProgress, signal })
  }
}

/** Names for the images of an archive, from the references of a client. */
function naming(references: readonly ImageReference[]): ImageNaming {
  const [reference, ...others] = references
  if (reference === undefined) return {}
  if (others.length > 0 || !reference.isPrefix) {
    throw new NsboxError('unimplemented', 'extra_references of an import other than one prefix')
  }
  const { name, allowOverwrite = false, addDigest = false, skipNamedDigest = false } = reference
  return {
    baseName: name || undefined,
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
  const { name, references = [] } = source
  if (references.some(({ isPrefix }) => isPrefix)) {
    throw new NsboxError('unimplemented', 'exporting all images whose names begin alike')
  }
  const names = [...(name === '' ? [] : [name]), ...references.map((reference) => reference.name)]
  const say = (event: string) => onProgress?.({ event, name: '', parents: [], progress: 0, total: 0 })
  say('Exporting')
  const found = await Promise.all(names.map((each) => images.get(each, { signal })))
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
