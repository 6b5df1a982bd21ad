import { type AbortOptions, type ContentManager, type ContentReader, findManifest } from '@nsbox/core/content'
import type { ProgressListener } from '@nsbox/core/transfer'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, type Digest, ingestRef, labelKeys, type Manifest, type Platform } from '@nsbox/oci'
import type { ImageLimits } from '../documents/image-budget.ts'
import { isImage } from '../documents/is-image.ts'
import { readChain } from '../documents/read-chain.ts'
import { createFlights, type Flights } from '../flights/flights.ts'
import { ProgressTracker } from '../progress/progress-tracker.ts'
import { type UnpackChainOptions, unpackChain } from './unpack-chain.ts'
import type { UnpackDestination } from './unpack-layer.ts'

/** How to unpack. */
export interface UnpackOptions extends UnpackDestination, AbortOptions {
  readonly content: Pick<ContentReader, 'read'> & Pick<ContentManager, 'update'>
  /** The platform to choose in an index. */
  readonly platform: Platform
  /** Shared with other unpacks and pulls so that no layer is unpacked twice at once. */
  readonly flights?: Flights | undefined
  /** Limits for all layers together. */
  readonly limits?: Partial<ImageLimits> | undefined
  readonly onProgress?: ProgressListener | undefined
}

/** The result of unpacking. */
export interface UnpackedImage {
  readonly manifest: Descriptor
  /** Name of the snapshot with the image's whole file system; undefined for an image without layers. */
  readonly chainId: Digest | undefined
  /** Layers that were applied, without those whose snapshots existed. */
  readonly applied: number
}

/**
 * Unpacks an image whose content exists: a committed snapshot for each layer under its chain id, on top of that of the
 * layers below. Existing snapshots are not changed. The config's blob gets the label that holds the topmost snapshot,
 * and each applied layer the one with its diff id (docs/behaviour.md §4).
 *
 * After a failure or an abort, only committed snapshots are left.
 *
 * @throws `not_found` if an index has nothing for the platform, or content is missing; `failed_precondition` for
 * another artifact, or a layer of another diff id than in the config; `invalid_argument` for invalid documents;
 * `unimplemented` for layers of an unknown kind; the errors of the applier, the snapshotter and the store
 */
export async function unpackImage(target: Descriptor, options: UnpackOptions): Promise<UnpackedImage> {
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

/** As `unpackImage`, for a manifest whose config and layers may still be arriving. */
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
