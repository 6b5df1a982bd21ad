import type { AbortOptions, ContentManager, ContentReader } from '@nsbox/core/content'
import { hasLayerDirectories } from '@nsbox/core/snapshots'
import { isNotFound, undefinedIf } from '@nsbox/errors'
import type { Digest } from '@nsbox/oci'
import type { LayerLink } from '../documents/layer-chain.ts'
import type { Flights } from '../flights/flights.ts'
import { snapshotExists } from './snapshot-exists.ts'
import { unpackChain } from './unpack-chain.ts'
import type { UnpackDestination } from './unpack-layer.ts'

/** How to unpack layers around one. */
export interface UnpackThroughOptions extends UnpackDestination, AbortOptions {
  readonly content: Pick<ContentReader, 'info'> & Pick<ContentManager, 'update'>
  readonly flights: Flights
}

/**
 * Unpacks the layer of a chain id together with layers next to it: the missing ones below, and those above whose
 * content exists. Does nothing where that gains nothing: for a single layer, and for a snapshotter that applies layers
 * in order.
 *
 * @param chain the image's layers, one of which has the chain id
 * @returns whether the snapshot exists; it does not if the content of its layer is missing
 * @throws the errors of `unpack`
 */
export async function unpackThrough(
  chainId: string,
  chain: readonly LayerLink[],
  options: UnpackThroughOptions,
): Promise<boolean> {
  if (!hasLayerDirectories(options.snapshotter)) return false
  const links = await run(chain, chainId, options)
  if (links.length < 2) return false
  await unpackChain(links, { ...options, onState: () => undefined })
  return true
}

/** The layers around the wanted one that have content but no snapshot; none if the wanted one has no content. */
async function run(
  chain: readonly LayerLink[],
  chainId: string,
  options: UnpackThroughOptions,
): Promise<readonly LayerLink[]> {
  const wanted = chain.findIndex((link) => link.chainId === chainId)
  let first = wanted
  while (first > 0 && !(await snapshotExists(options.snapshotter, chain[first - 1]!.chainId, options)))
    first -= 1
  let end = first
  while (end < chain.length && (await isThere(chain[end]!.layer.digest, options))) end += 1
  return end > wanted ? chain.slice(first, end) : []
}

async function isThere(digest: Digest, { content, signal }: UnpackThroughOptions): Promise<boolean> {
  return (await undefinedIf(isNotFound, content.info(digest, { signal }))) !== undefined
}
