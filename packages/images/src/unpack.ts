import type { AbortOptions, ContentManager, ContentReader } from '@nsbox/core/content'
import type { ProgressListener } from '@nsbox/core/transfer'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, type Digest, ingestRef, labelKeys, type Manifest, type Platform } from '@nsbox/oci'
import { findManifest } from './find-manifest.ts'
import { createFlights, type Flights } from './flights.ts'
import type { ImageLimits } from './image-budget.ts'
import { isImage } from './is-image.ts'
import { ProgressTracker } from './progress-tracker.ts'
import { readChain } from './read-chain.ts'
import { type UnpackChainOptions, unpackChain } from './unpack-chain.ts'
import type { UnpackDestination } from './unpack-layer.ts'

/** How to unpack. */
export interface UnpackOptions extends UnpackDestination, AbortOptions {
  readonly content: Pick<ContentReader, 'read'> & Pick<ContentManager, 'update'>
  /** Of an index, the best manifest for this platform is unpacked. */
  readonly platform: Platform
  /** Shared with other unpacks and pulls so that no layer is unpacked twice at once. */
  readonly flights?: Flights | undefined
  /** What the layers together may come to. */
  readonly limits?: Partial<ImageLimits> | undefined
  readonly onProgress?: ProgressListener | undefined
}

/** What was unpacked. */
export interface UnpackedImage {
  readonly manifest: Descriptor
  /** Name of the snapshot with the image's whole file system; undefined for an image without layers. */
  readonly chainId: Digest | undefined
  /** Layers that were applied; those whose snapshots were there are not. */
  readonly applied: number
}

/**
 * Unpacks an image whose content is there: a committed snapshot for each layer under its chain id, on top of that of the
 * layers below. What exists is left as it is. The config's blob gets the label that keeps the topmost snapshot, and each
 * layer that is applied the one with its diff id (BEHAVIOUR.md §4).
 *
 * After a failure, by an abort too, only committed snapshots are left.
 *
 * @throws `not_found` if an index has nothing for the platform, or content is absent; `failed_precondition` for what is
 * no image, or a layer of another diff id than the config says; `invalid_argument` for documents that make no sense;
 * `unimplemented` for layers of an unknown kind; the errors of the applier, the snapshotter and the store
 */
export async function unpack(target: Descriptor, options: UnpackOptions): Promise<UnpackedImage> {
  using progress = new ProgressTracker(options.onProgress)
  const manifest = await findManifest(options.content, target, options)
  if (manifest === undefined)
    throw new NsboxError('failed_precondition', `index ${target.digest} has no manifest of an image`)
  if (!isImage(manifest)) {
    const mediaType = JSON.stringify(manifest.config.mediaType)
    throw new NsboxError(
      'failed_precondition',
      `manifest ${manifest.descriptor.digest}: no image, since its config is of media type ${mediaType}`,
    )
  }
  return await unpackManifest(manifest, { ...options, progress })
}

/** `unpack`, for a manifest whose config and layers may still be on their way. */
export async function unpackManifest(
  manifest: Manifest & { readonly descriptor: Descriptor },
  options: Omit<UnpackOptions, 'platform' | 'onProgress'> & {
    readonly progress: ProgressTracker
    readonly arriving?: UnpackChainOptions['arriving']
  },
): Promise<UnpackedImage> {
  const { content, snapshotterName, progress, arriving, flights = createFlights(), signal } = options
  const { config, descriptor } = manifest
  await arriving?.arrivals.of(config.digest).there({ signal })
  const chain = await readChain(content, manifest, { signal })
  const parents = [ingestRef(descriptor)]
  const applied = await unpackChain(chain, {
    ...options,
    flights,
    onState: (layer, event) => {
      const { size } = layer
      progress.state({
        event,
        name: ingestRef(layer),
        parents,
        progress: size,
        total: size,
        descriptor: layer,
      })
    },
  })
  const chainId = chain.at(-1)?.chainId
  if (chainId !== undefined) {
    const label = `${labelKeys.gcRefSnapshot}.${snapshotterName}`
    await content.update(config.digest, { merge: { [label]: chainId } }, { signal })
  }
  return { manifest: descriptor, chainId, applied }
}
