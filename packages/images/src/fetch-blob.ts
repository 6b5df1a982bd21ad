import { setTimeout as sleep } from 'node:timers/promises'
import type { AbortOptions, ContentStore, ContentWriter } from '@nsbox/core/content'
import type { Labels } from '@nsbox/core/labels'
import type { Remote } from '@nsbox/core/transfer'
import { isAlreadyExists, isFailedPrecondition, isNotFound, isUnavailable } from '@nsbox/errors'
import type { Descriptor } from '@nsbox/oci'
import type { Arrival } from './arrival.ts'

/** How to fetch one blob. */
export interface FetchBlobOptions extends AbortOptions {
  readonly remote: Remote
  readonly content: ContentStore
  /** Names the ingest, so that an interrupted fetch goes on where it stopped. */
  readonly ref: string
  /** Labels to set on the blob, whether it was fetched or there before. */
  readonly labels: Labels
  /** Called with the bytes that are there, often. */
  readonly onBytes?: ((offset: number) => void) | undefined
  /** Called when all bytes have come, before they are proved and brought to the disk, which waits for it. */
  readonly onReceived?: (() => Promise<void>) | undefined
  /** Told how the bytes arrive, but not that the blob is there. */
  readonly arrival?: Pick<Arrival, 'begin' | 'advance' | 'void'> | undefined
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
  try {
    return await attempt(descriptor, options)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    await options.content.update(descriptor.digest, { merge: options.labels }, { signal: options.signal })
    return undefined
  }
}

async function attempt(descriptor: Descriptor, options: FetchBlobOptions): Promise<number> {
  const { digest: expected, size } = descriptor
  const { content, ref, labels, signal } = options
  let fresh = false
  try {
    await using writer = await openWriter(content, { ref, total: size, expected }, signal)
    const { offset } = writer.status()
    fresh = offset === 0
    // More than the whole cannot be a part of it.
    if (offset > size) await writer.restart({ signal })
    const received = await copy(descriptor, writer, options)
    await options.onReceived?.()
    await writer.commit({ size, expected, labels, signal })
    return received
  } catch (error) {
    if (!isFailedPrecondition(error)) throw error
    options.arrival?.void()
    const existed = await discard(content, ref, signal)
    if (fresh || !existed) throw error
  }
  // What an earlier attempt left was wrong, in its bytes or in its total: once more from the start.
  return await attempt(descriptor, options)
}

async function copy(
  descriptor: Descriptor,
  writer: ContentWriter,
  { remote, ref, onBytes, arrival, signal }: FetchBlobOptions,
): Promise<number> {
  const start = writer.status().offset
  let offset = start
  onBytes?.(offset)
  if (offset === descriptor.size) return 0
  arrival?.begin(ref, offset)
  for await (const chunk of remote.fetch(descriptor, { offset, signal })) {
    // Also after an abort: what has come need not come again.
    await writer.write(chunk)
    offset += chunk.byteLength
    arrival?.advance(offset)
    onBytes?.(offset)
  }
  return offset - start
}

/** How long another writer may stand still before we stop waiting for it, in milliseconds. */
const patience = 30_000

/** Opens the ingest, waiting while somebody else writes to it, as a stock client beside us may. */
async function openWriter(
  content: ContentStore,
  ingest: { ref: string; total: number; expected: Descriptor['digest'] },
  signal: AbortSignal | undefined,
): Promise<ContentWriter> {
  let seen = -1
  let giveUp = 0
  for (let delay = 20; ; delay = Math.min(2 * delay, 1000)) {
    try {
      return await content.writer(ingest, { signal })
    } catch (error) {
      if (!isUnavailable(error)) throw error
      const offset = await currentOffset(content, ingest.ref, signal)
      if (offset !== seen) giveUp = Date.now() + patience
      else if (Date.now() > giveUp) throw error
      seen = offset
    }
    await sleep(delay, undefined, { signal })
  }
}

async function currentOffset(
  content: ContentStore,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  try {
    return (await content.status(ref, { signal })).offset
  } catch (error) {
    if (isNotFound(error)) return 0
    throw error
  }
}

async function discard(
  content: ContentStore,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    await content.abort(ref, { signal })
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}
