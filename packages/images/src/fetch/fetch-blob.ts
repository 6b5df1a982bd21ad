import { setTimeout as sleep } from 'node:timers/promises'
import type { AbortOptions, ContentStore, ContentWriter, IngestOptions } from '@nsbox/core/content'
import type { Labels } from '@nsbox/core/labels'
import type { Remote } from '@nsbox/core/transfer'
import { isAlreadyExists, isFailedPrecondition, isNotFound, isUnavailable, undefinedIf } from '@nsbox/errors'
import type { Descriptor } from '@nsbox/oci'
import type { Arrival } from '../flights/arrival.ts'
import { ProvedElsewhere } from '../flights/download.ts'
import { Pace } from '../flights/pace.ts'
import type { Patience } from '../flights/patience.ts'

/** How to fetch one blob. */
export interface FetchBlobOptions extends AbortOptions {
  readonly remote: Remote
  readonly content: ContentStore
  /** Names the ingest, so that an interrupted fetch is resumed. */
  readonly ref: string
  /** Labels to set on the blob, whether it was fetched or existed before. */
  readonly labels: Labels
  /** How long to wait for another writer of the ingest while its bytes come fast enough. */
  readonly patience: Patience
  /**
   * Ends the download, but not the steps after it. If the reason is `ProvedElsewhere`, the blob is taken from the
   * store, or fetched completely if the store does not give it; any other reason is thrown.
   */
  readonly stopped?: AbortSignal | undefined
  /** Called often, with the number of bytes so far. */
  readonly onBytes?: ((offset: number) => void) | undefined
  /** Called when all bytes have come, before they are verified and synced; awaited. */
  readonly onReceived?: (() => Promise<void>) | undefined
  /** Gets the progress of the bytes, but not the end. */
  readonly arrival?: Pick<Arrival, 'begin' | 'advance' | 'void'> | undefined
}

/** The state of a running fetch. */
interface Fetching extends Omit<FetchBlobOptions, 'stopped'> {
  stopped: AbortSignal | undefined
  /** Bytes that came from the remote, over all attempts. */
  received: number
  /** The ingest that was last asked for. */
  asked: string
  /** The ingest that was last opened. */
  opened?: string | undefined
}

/**
 * Fetches one blob into a store: not at all if it exists, and from where an earlier attempt stopped. A blob is visible
 * only once its size and digest have been verified.
 *
 * @returns how many bytes came from the remote, `undefined` if the blob existed
 * @throws the errors of the remote and the store; `failed_precondition` if the bytes do not match the descriptor
 */
export async function fetchBlob(
  descriptor: Descriptor,
  options: FetchBlobOptions,
): Promise<number | undefined> {
  const fetching: Fetching = { ...options, stopped: options.stopped, asked: options.ref, received: 0 }
  const { content, labels, arrival, signal } = options
  try {
    try {
      await attempt(descriptor, fetching)
    } catch (error) {
      if (!(error instanceof ProvedElsewhere)) throw error
      arrival?.void()
      // The store gives the blob, unless each namespace has to bring its own bytes: then the download goes on.
      fetching.stopped = undefined
      await attempt(descriptor, fetching)
    }
    return fetching.received
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    await content.update(descriptor.digest, { merge: labels }, { signal })
    // Another writer of the ingest, if there is one, finds that it is not needed any more.
    if (fetching.opened !== undefined)
      await undefinedIf(isUnavailable, discard(content, fetching.opened, signal))
    return fetching.received === 0 ? undefined : fetching.received
  }
}

async function attempt(descriptor: Descriptor, fetching: Fetching): Promise<void> {
  const { digest: expected, size } = descriptor
  const { content, labels, signal } = fetching
  let fresh = false
  try {
    await using writer = await openWriter({ total: size, expected }, fetching)
    fetching.opened = writer.ref
    const { offset } = writer.status()
    fresh = offset === 0
    // More bytes than the whole cannot be a part of it.
    if (offset > size) await writer.restart({ signal })
    await copy(descriptor, writer, fetching)
    await fetching.onReceived?.()
    await writer.commit({ size, expected, labels, signal })
    return
  } catch (error) {
    if (!isFailedPrecondition(error)) throw error
    fetching.arrival?.void()
    const existed = await discard(content, fetching.asked, signal)
    if (fresh || !existed) throw error
  }
  // The bytes or the total of an earlier attempt were wrong: once more from the start.
  await attempt(descriptor, fetching)
}

async function copy(descriptor: Descriptor, writer: ContentWriter, fetching: Fetching): Promise<void> {
  const { remote, onBytes, arrival } = fetching
  let { offset } = writer.status()
  onBytes?.(offset)
  if (offset === descriptor.size) return
  arrival?.begin(writer.ref, { from: offset, size: descriptor.size })
  const signal = eitherSignal(fetching.signal, fetching.stopped)
  for await (const chunk of remote.fetch(descriptor, { offset, signal })) {
    // Written even after an abort, so that these bytes need not come again.
    await writer.write(chunk)
    fetching.received += chunk.byteLength
    offset += chunk.byteLength
    arrival?.advance(offset)
    onBytes?.(offset)
  }
}

function eitherSignal(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one === undefined || other === undefined ? (one ?? other) : AbortSignal.any([one, other])
}

/** Most ingests of one blob with other writers in a namespace. */
const maxIngests = 256

/**
 * Opens the ingest. If it has another writer, such as another pull or a stock client, it waits while that is
 * worthwhile, and then takes another ingest: the next of a series, so that a later attempt finds it again.
 */
async function openWriter(
  expectation: Pick<IngestOptions, 'total' | 'expected'>,
  fetching: Fetching,
): Promise<ContentWriter> {
  const { content, ref, patience, signal } = fetching
  for (let number = 1; ; number += 1) {
    fetching.asked = number === 1 ? ref : `${ref}-${number}`
    try {
      return await openInTime({ ...expectation, ref: fetching.asked }, content, patience, signal)
    } catch (error) {
      if (!isUnavailable(error) || number === maxIngests) throw error
    }
  }
}

/** @throws `unavailable` if another writer has the ingest, and waiting is not worthwhile any more */
async function openInTime(
  ingest: IngestOptions,
  content: ContentStore,
  patience: Patience,
  signal: AbortSignal | undefined,
): Promise<ContentWriter> {
  let pace: Pace | undefined
  for (let delay = 20; ; delay = Math.min(2 * delay, 250)) {
    try {
      return await content.writer(ingest, { signal })
    } catch (error) {
      if (!isUnavailable(error)) throw error
      const status = await undefinedIf(isNotFound, content.status(ingest.ref, { signal }))
      const offset = status?.offset ?? 0
      pace ??= new Pace(Number.POSITIVE_INFINITY, offset)
      pace.advance(offset)
      if (!pace.isBrisk || patience.isOver) throw error
    }
    using _wait = patience.wait()
    await sleep(delay, undefined, { signal })
  }
}

/**
 * Discards an ingest, unless it has another writer.
 * @returns whether there was one
 * @throws `unavailable` if it has another writer
 */
async function discard(
  content: ContentStore,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const discarding = async () => {
    await content.status(ref, { signal })
    await using _own = await content.writer({ ref }, { signal })
    await content.abort(ref, { signal })
    return true
  }
  return (await undefinedIf(isNotFound, discarding())) ?? false
}
