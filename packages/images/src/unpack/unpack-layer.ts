import type { Semaphore } from '@nsbox/concurrency'
import type { AbortOptions, ContentManager } from '@nsbox/core/content'
import type { AppliedLayer, Applier, DiffMount } from '@nsbox/core/diff'
import type { Labels } from '@nsbox/core/labels'
import { hasLayerDirectories, type LayerDirectory, type Snapshotter } from '@nsbox/core/snapshots'
import { errorCode, isAlreadyExists, isNotFound, NsboxError } from '@nsbox/errors'
import { overlayMount } from '@nsbox/mount/overlay'
import { labelKeys } from '@nsbox/oci'
import type { ImageBudget } from '../documents/image-budget.ts'
import type { LayerLink } from '../documents/layer-chain.ts'
import { type OpenedLayer, openArriving } from '../fetch/arriving-layer.ts'
import type { Arrival } from '../flights/arrival.ts'
import type { Table } from '../flights/flight-table.ts'
import type { Patience } from '../flights/patience.ts'
import { Unpacking } from '../flights/unpacking.ts'
import type { ChainCommit } from './chain-commit.ts'
import { discardSnapshot } from './discard-snapshot.ts'
import { extractionKey } from './extraction-key.ts'
import { snapshotExists } from './snapshot-exists.ts'
import { snapshotLabels } from './snapshot-labels.ts'

/** Where to unpack layers, and with which applier. */
export interface UnpackDestination {
  readonly snapshotter: Snapshotter
  /** The snapshotter's name, which is part of the label that holds the snapshots. */
  readonly snapshotterName: string
  readonly applier: Applier
  /** Called in place of each stage of a layer; returns what the stage's work returns. By default the work is done. */
  readonly aroundStage?: AroundStage | undefined
}

/**
 * A stage of unpacking a layer: its snapshot is prepared; the layer is applied, which includes waiting for what is
 * still arriving of it; the snapshot is committed, after those below it.
 */
export type UnpackStage = 'prepare' | 'apply' | 'commit'

/** What is done around a stage of unpacking a layer, such as measuring it. */
export type AroundStage = <T>(
  stage: UnpackStage,
  layer: Pick<LayerLink, 'layer' | 'chainId'>,
  work: () => Promise<T>,
) => Promise<T>

/** How to unpack one layer. */
export interface UnpackLayerOptions extends UnpackDestination, AbortOptions {
  readonly content: Pick<ContentManager, 'update'>
  /** How the layer's blob arrives; it exists by default. */
  readonly arrival?: Arrival | undefined
  /** The commit of the layer below; undefined for the lowest. */
  readonly below: ChainCommit | undefined
  /** The running unpackings of all pulls. */
  readonly unpackings: Table<Unpacking>
  /** How long to wait for other pulls whose unpacking of a layer stands still, while this one could continue. */
  readonly patience: Patience
  /** Bounds how many layers are applied at once. */
  readonly slots: Semaphore
  /** Bounds how many layers are applied while they arrive. */
  readonly followers: Semaphore
  readonly budget: ImageBudget
  /** Called when the layer is being extracted and its blob has arrived. */
  readonly onExtracting: () => void
  /** Called as soon as the snapshotter has been asked to commit, so that it may be asked to commit the layer above. */
  readonly onCommitting: () => void
  /** Called as soon as the snapshot is committed. */
  readonly onCommitted: () => void
}

/**
 * Makes the snapshot of one layer, unless it exists: prepared, applied, and committed under the chain id after the
 * layers below (docs/behaviour.md §5). If the snapshotter has layer directories, only the commit depends on the layers
 * below, and begins once theirs has begun.
 *
 * @returns whether the layer was applied
 */
export async function unpackLayer(link: LayerLink, options: UnpackLayerOptions): Promise<boolean> {
  for (;;) {
    const outcome = await attempt(link, options)
    if (outcome === 'made' || outcome === 'exists') return outcome === 'made'
    if (outcome === 'again when it is there') await options.arrival?.there(options)
    else await othersSettled(link, options)
  }
}

type Outcome = 'made' | 'exists' | 'again when it is there' | 'again after others'

async function attempt(link: LayerLink, options: UnpackLayerOptions): Promise<Outcome> {
  const { snapshotter, arrival, content, unpackings, signal } = options
  if (await snapshotExists(snapshotter, link.chainId, { signal })) return 'exists'
  const inOrder = !hasLayerDirectories(snapshotter)
  if (inOrder) await options.below?.ended({ signal })
  await using opened = arrival && (await openArriving(arrival, content, options.followers, { signal }))
  const flight = flightKey(link, options)
  if (unpackings.of(flight).some((other) => isWorthWaitingFor(other, link, options)))
    return 'again after others'
  const unpacking = new Unpacking(link.layer.digest, opened && arrival)
  using _flight = unpackings.begin(flight, unpacking)
  const key = extractionKey(link.chainId)
  const labels = snapshotLabels(link)
  try {
    // Another pull may have made it meanwhile.
    if (arrival !== undefined && (await snapshotExists(snapshotter, link.chainId, { signal })))
      return 'exists'
    const applied = await prepareAndApply(link, { key, labels, opened }, options)
    // Other layers may be followed while this one waits for those below it.
    await opened?.[Symbol.asyncDispose]()
    await commit(link, { key, labels, applied, unpacking }, options)
    options.onCommitted()
    await content.update(link.layer.digest, { merge: { [labelKeys.uncompressed]: link.diffId } }, { signal })
    return 'made'
  } catch (caught) {
    const error = await discardSnapshot(snapshotter, key, caught)
    if (signal?.aborted) throw error
    // Another pull has made it, unless something else has the name.
    if (isAlreadyExists(error) && (await snapshotExists(snapshotter, link.chainId, { signal })))
      return 'exists'
    if (opened === undefined || (opened.fresh && errorCode(error) !== 'aborted')) throw error
    // The followed file may have begun with wrong bytes of an earlier attempt: only the verified blob can show that.
    return 'again when it is there'
  }
}

const flightKey = ({ chainId }: LayerLink, { snapshotterName }: UnpackLayerOptions) =>
  `${snapshotterName}/${chainId}`

/** Whether another pull's unpacking of the same blob goes on, or there is patience left. */
function isWorthWaitingFor(
  other: Unpacking,
  { layer }: LayerLink,
  { patience }: UnpackLayerOptions,
): boolean {
  return other.layer === layer.digest && (other.isGoingOn || !patience.isOver)
}

/**
 * Waits for other pulls that unpack the same. Patience is used up only while this one could continue and they do not.
 */
async function othersSettled(link: LayerLink, options: UnpackLayerOptions): Promise<void> {
  const { arrival, below, unpackings, patience, signal } = options
  const isWorthIt = (other: Unpacking) => isWorthWaitingFor(other, link, options)
  const canGoOn = () =>
    (arrival === undefined || arrival.state.kind === 'there') && (below === undefined || below.hasSucceeded)
  const flight = flightKey(link, options)
  while (unpackings.of(flight).some(isWorthIt)) {
    await unpackings.settled(flight, (other) => isWorthIt(other) && (other.isGoingOn || !canGoOn()), {
      signal,
    })
    using _wait = patience.wait()
    await unpackings.settled(flight, (other) => isWorthIt(other) && !other.isGoingOn, { signal })
  }
}

/** A snapshot before its commit. */
interface Draft {
  readonly key: string
  readonly labels: Labels
}

async function prepareAndApply(
  link: LayerLink,
  { key, labels, opened }: Draft & { readonly opened: OpenedLayer | undefined },
  options: UnpackLayerOptions,
): Promise<AppliedLayer> {
  const { layer, diffId, parent } = link
  const { snapshotter, applier, budget, aroundStage = justDo, signal } = options
  using _slot = await options.slots.acquire({ signal })
  const late = hasLayerDirectories(snapshotter) ? snapshotter : undefined
  const mounts = await aroundStage('prepare', link, () =>
    snapshotter.prepare(key, late ? undefined : parent, { labels, signal }),
  )
  // The lowest layer has nothing below it, and needs no whiteouts.
  const target =
    late && parent !== undefined ? [layerMount(await late.layerDirectory(key, { signal }))] : mounts
  using _telling = tellExtracting(opened, options)
  const applied = await aroundStage('apply', link, () =>
    applier.apply(layer, target, { diffId, arriving: opened?.arriving, signal }),
  )
  // An applier on another host may not check it.
  if (applied.diffId !== diffId) {
    throw new NsboxError(
      'failed_precondition',
      `layer ${layer.digest}: diff id ${applied.diffId}, its image's config says ${diffId}`,
    )
  }
  budget.add({ compressed: layer.size, size: applied.size })
  return applied
}

/** Reports that a layer is being extracted once its download has ended, unless the extraction has ended by then. */
function tellExtracting(
  opened: OpenedLayer | undefined,
  { arrival, onExtracting, signal }: UnpackLayerOptions,
): Disposable {
  let over = false
  if (opened === undefined || arrival === undefined) onExtracting()
  else
    arrival.there({ signal }).then(
      () => over || onExtracting(),
      // An abort ends the extraction, which reports it.
      () => undefined,
    )
  return {
    [Symbol.dispose]: () => {
      over = true
    },
  }
}

async function commit(
  link: LayerLink,
  {
    key,
    labels,
    applied,
    unpacking,
  }: Draft & { readonly applied: AppliedLayer; readonly unpacking: Unpacking },
  options: UnpackLayerOptions,
): Promise<void> {
  const { chainId, parent } = link
  const { snapshotter, below, onCommitting, aroundStage = justDo, signal } = options
  if (!hasLayerDirectories(snapshotter)) {
    await aroundStage('commit', link, () => snapshotter.commit(chainId, key, { labels, signal }))
    return
  }
  const ask = async () => {
    const committing = aroundStage('commit', link, () =>
      snapshotter.commit(chainId, key, {
        ...{ parent, impliedDirectories: applied.implied },
        ...{ labels, signal },
      }),
    )
    onCommitting()
    await committing
  }
  const waiting = async <T>(wait: Promise<T> | undefined): Promise<T | undefined> => {
    unpacking.waitsForBelow = true
    const result = await wait
    unpacking.waitsForBelow = false
    return result
  }
  await waiting(below?.begun({ signal }))
  try {
    await ask()
  } catch (error) {
    // The commit below has failed. It may be repeated; otherwise that failure is the cause.
    if (!isNotFound(error) || !(await waiting(below?.ended({ signal })))) throw error
    await ask()
  }
}

const justDo: AroundStage = (_stage, _layer, work) => work()

/** A mount that tells an applier where to write, and the form of removals there; nothing is mounted. */
function layerMount({ path, opaqueAttribute }: LayerDirectory): DiffMount {
  return overlayMount(
    { lower: [], upper: path },
    opaqueAttribute === 'user.overlay.opaque' ? ['userxattr'] : [],
  )
}
