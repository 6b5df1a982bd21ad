import { availableParallelism } from 'node:os'
import { mapConcurrently, Semaphore } from '@nsbox/concurrency'
import type { AbortOptions, ContentManager } from '@nsbox/core/content'
import { hasLayerDirectories } from '@nsbox/core/snapshots'
import type { Descriptor } from '@nsbox/oci'
import { ImageBudget, type ImageLimits } from '../documents/image-budget.ts'
import type { LayerLink } from '../documents/layer-chain.ts'
import type { Arrivals } from '../flights/arrival.ts'
import type { Flights } from '../flights/flights.ts'
import { largestFirst } from '../flights/largest-first.ts'
import { Patience } from '../flights/patience.ts'
import { ChainCommit } from './chain-commit.ts'
import { snapshotExists } from './snapshot-exists.ts'
import { type UnpackDestination, unpackLayer } from './unpack-layer.ts'

/**
 * Milliseconds that an image waits in all for other pulls whose unpacking of its layers stands still, when it could
 * continue itself. Usually they continue in a moment, since the same bytes have come to them as well.
 */
const patienceWithStanding = 2_000

/** How to unpack the layers of an image. */
export interface UnpackChainOptions extends UnpackDestination, AbortOptions {
  readonly content: Pick<ContentManager, 'update'>
  readonly flights: Flights
  readonly limits?: Partial<ImageLimits> | undefined
  /** How blobs arrive, and how many may be applied meanwhile. By default all blobs exist. */
  readonly arriving?: { readonly arrivals: Arrivals; readonly followers: Semaphore } | undefined
  readonly onState: (layer: Descriptor, event: 'extracting' | 'extracted') => void
}

/**
 * Makes the missing snapshots of all layers, and waits for those that other pulls are making, in any namespace. The
 * first failure ends all; committed snapshots stay.
 *
 * @returns how many layers were applied
 */
export async function unpackChain(chain: readonly LayerLink[], options: UnpackChainOptions): Promise<number> {
  const { snapshotter, arriving, onState } = options
  const { unpackings } = options.flights
  const patience = new Patience(patienceWithStanding)
  const top = chain.at(-1)
  if (top === undefined || (await snapshotExists(snapshotter, top.chainId, options))) return 0
  // For each thread that applies a layer, one more layer is prepared, so that the thread need not wait for the disk.
  // More at once would only make other images wait.
  const slots = new Semaphore(2 * Math.max(2, availableParallelism()))
  const budget = new ImageBudget(options.limits)
  const commits = new Map(chain.map(({ chainId }) => [chainId, new ChainCommit()]))
  let made = 0
  await mapConcurrently(
    hasLayerDirectories(snapshotter) ? largestFirst(chain, ({ layer }) => layer.size) : chain,
    async (link, signal) => {
      const { layer, chainId, parent } = link
      let isTold = false
      using commit = commits.get(chainId)!
      const isMade = await unpackLayer(link, {
        ...options,
        arrival: arriving?.arrivals.of(layer.digest),
        followers: arriving?.followers ?? new Semaphore(0),
        unpackings,
        patience,
        below: parent && commits.get(parent),
        slots,
        budget,
        onExtracting: () => {
          isTold = true
          onState(layer, 'extracting')
        },
        onCommitting: () => commit.begin(),
        onCommitted: () => commit.succeed(),
        signal,
      })
      commit.succeed()
      if (isMade) made += 1
      if (isMade || isTold) onState(layer, 'extracted')
    },
    { signal: options.signal },
  )
  return made
}
