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
  /** Names the ingest, so that an interrupted fetch goes on where it stopped. */
  readonly ref: string
  /** Labels to set on the blob, whether it was fetched or there before. */
  readonly labels: Labels
  /** How long to wait for another writer of the ingest while its bytes come briskly. */
  readonly patience: Patience
  /**
   * Ends the download, not what comes after it. If the reason is `ProvedElsewhere`, the blob is taken from the store,
   * or fetched to its end where the store does not give it; else it is thrown.
   */
  readonly stopped?: AbortSignal | undefined
  /** Called with the bytes that are there, often. */
  readonly onBytes?: ((offset: number) => void) | undefined
  /** Called when all bytes have come, before they are proved and brought to the disk, which waits for it. */
  readonly onReceived?: (() => Promise<void>) | undefined
  /** Told how the bytes arrive, but not that the blob is there. */
  readonly arrival?: Pick<Arrival, 'begin' | 'advance' | 'void'> | undefined
}

/** What is known of a fetch while it goes on. */
interface Fetching extends Omit<FetchBlobOptions, 'stopped'> {
  stopped: AbortSignal | undefined
  /** Bytes that came from the remote, over all attempts. */
  received: number
  /** The ingest that was asked for last. */
  asked: string
  /** The one that was opened last. */
  opened?: string | undefined
}

/**
 * Brings one blob into a store: not at all if it is there, from where an earlier attempt stopped if there was one. A
 * blob is visible only once its size and digest have been proved.
 *
 * @returns how many bytes came from the remote, `undefined` if the blob was there
 * @throws the errors of the remote and the store; `failed_precondition` if the bytes are not what the descriptor says
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
      // The store gives what it has, unless each namespace has to bring its own bytes: then the download goes on.
      fetching.stopped = undefined
      await attempt(descriptor, fetching)
    }
    return fetching.received
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    await content.update(descriptor.digest, { merge: labels }, { signal })
    // Another writer of the ingest, if there is one, finds out that it is of no use any more.
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
    // More than the whole cannot be a part of it.
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
  // What an earlier attempt left was wrong, in its bytes or in its total: once more from the start.
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
    // After an abort as well, so that these bytes need not come again.
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

/** How many ingests of one blob with other writers a namespace may have. */
const maxIngests = 256

/**
 * Opens the ingest. If it has another writer, such as another pull or a stock client, it waits as long as that is worth
 * it, and then takes an ingest of its own: the next of a series, so that another attempt finds it again.
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

/** @throws `unavailable` if another writer has the ingest, for which it is not worth waiting any longer */
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
 * Discards an ingest, unless somebody else writes to it: only its own writer has its ingest taken away.
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
