import { runYielding } from '@nsbox/concurrency'
import { type AbortOptions, readBlob } from '@nsbox/core/content'
import { isNsboxError } from '@nsbox/errors'
import { isImage, type LayerLink, readChain } from '@nsbox/images'
import type { NamespaceView } from '@nsbox/metadata'
import {
  type Digest,
  isDigest,
  labelKeys,
  type Manifest,
  manifestSteps,
  maxDocumentSize,
  mediaTypes,
  strictJsonSteps,
} from '@nsbox/oci'

/** An image that a lease holds. */
export interface LeasedImage {
  readonly manifest: Digest
  readonly chain: readonly LayerLink[]
  /** It could not be unpacked ahead, and is left to the client. */
  isLeft: boolean
}

type Stores = Pick<NamespaceView, 'leases' | 'content'>

/** A label that clients put on manifests only (docs/behaviour.md §4). */
const configLabel = `${labelKeys.gcRefContent}.config`

/** Most leases whose images are remembered. */
const mostLeases = 100

/** Most resources of a lease that are looked at, since that blocks the event loop. */
const mostResources = 1000

/** Finds the images of leases by the snapshots that they make. What was read of them is remembered. */
export class LeasedImages {
  /** By namespace and lease. */
  readonly #known = new Map<string, readonly LeasedImage[]>()

  /**
   * The image with a layer of this chain id, if the lease holds its manifest directly, as it does while a client pulls
   * or imports it.
   * @throws `not_found` for the lease
   */
  async find(
    stores: Stores,
    { namespace, lease }: { readonly namespace: string; readonly lease: string },
    chainId: Digest,
    { signal }: AbortOptions,
  ): Promise<LeasedImage | undefined> {
    const key = `${namespace}/${lease}`
    const makes = ({ chain }: LeasedImage) => chain.some((link) => link.chainId === chainId)
    const known = this.#known.get(key) ?? []
    const found = known.find(makes)
    if (found !== undefined) return found
    const images: LeasedImage[] = []
    const resources = await stores.leases.resources(lease, { signal })
    for (const { type, id } of resources.slice(0, mostResources)) {
      if (type !== 'content' || !isDigest(id)) continue
      const image = known.find(({ manifest }) => manifest === id) ?? (await readImage(stores, id, { signal }))
      if (image !== undefined) images.push(image)
    }
    this.#remember(key, images)
    return images.find(makes)
  }

  #remember(key: string, images: readonly LeasedImage[]): void {
    if (images.length === 0) return
    this.#known.set(key, images)
    if (this.#known.size > mostLeases) this.#known.delete(this.#known.keys().next().value!)
  }
}

/** The image that a blob is the manifest of; undefined for anything else, and for one that cannot be unpacked. */
async function readImage(
  { content }: Stores,
  digest: Digest,
  { signal }: AbortOptions,
): Promise<LeasedImage | undefined> {
  try {
    const { size, labels } = await content.info(digest, { signal })
    if (!Object.hasOwn(labels, configLabel)) return undefined
    const bytes = await readBlob(content, { digest, size }, { limit: maxDocumentSize, signal })
    const mediaType = await statedMediaType(bytes, digest, signal)
    const manifest = await runYielding(manifestSteps(bytes, { digest, mediaType }), { signal })
    if (!isImage(manifest)) return undefined
    return { manifest: digest, chain: await readChain(content, manifest, { signal }), isLeft: false }
  } catch (error) {
    signal?.throwIfAborted()
    // Errors are ignored: the client meets them when it unpacks the image itself.
    if (isNsboxError(error)) return undefined
    throw error
  }
}

/** Only manifests in Docker's format have to say what they are (OCI image specification, manifest.md, "mediaType"). */
async function statedMediaType(
  bytes: Uint8Array,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<Manifest['mediaType']> {
  const document = await runYielding(strictJsonSteps(bytes, `manifest ${digest}`), { signal })
  const isObject = typeof document === 'object' && document !== null && !Array.isArray(document)
  const stated = isObject ? document.mediaType : undefined
  return typeof stated === 'string' && stated !== '' ? stated : mediaTypes.ociManifest
}
