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
 * Milliseconds that an image waits in all for other pulls that unpack what it needs but stand still, when it could go
 * on itself. Usually they go on in a moment, since what it has come to them as well.
 */
const patienceWithStanding = 2_000

/** How to unpack the layers of an image. */
export interface UnpackChainOptions extends UnpackDestination, AbortOptions {
  readonly content: Pick<ContentManager, 'update'>
  readonly flights: Flights
  readonly limits?: Partial<ImageLimits> | undefined
  /** How blobs arrive, and how many may be applied meanwhile. All blobs are there by default. */
  readonly arriving?: { readonly arrivals: Arrivals; readonly followers: Semaphore } | undefined
  readonly onState: (layer: Descriptor, event: 'extracting' | 'extracted') => void
}

/**
 * Makes the snapshots of all layers that have none yet, and waits for those being made elsewhere, in any namespace. The
 * first failure ends all; what is committed by then stays.
 *
 * @returns how many layers were applied
 */
export async function unpackChain(chain: readonly LayerLink[], options: UnpackChainOptions): Promise<number> {
  const { snapshotter, arriving, onState } = options
  const { unpackings } = options.flights
  const patience = new Patience(patienceWithStanding)
  const top = chain.at(-1)
  if (top === undefined || (await snapshotExists(snapshotter, top.chainId, options))) return 0
  // For each thread that applies a layer there is one more that is being prepared, so that the thread need not wait for
  // the disk. More at once would only make other images wait.
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
