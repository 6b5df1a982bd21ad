import type { AbortOptions } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, formatReference, type Reference } from '@nsbox/oci'
import { repositoryScope } from '../auth/scope.ts'
import type { RegistryHost } from '../hosts/registry-host.ts'
import { discard, type Reply, singleHeader } from '../http/exchange.ts'
import type { HeaderFields } from '../http/header-fields.ts'
import { networkError } from '../http/network-error.ts'
import { backOff, isTransient } from '../http/retry-with-backoff.ts'
import { watchThroughput } from '../http/throughput-watchdog.ts'
import type { RegistryClient } from './registry-client.ts'
import { acceptManifests, type ContentKind } from './resolve.ts'

/** The progress of a download, across hosts and tries. */
export interface Progress {
  /** Bytes delivered, from the start of the content. */
  position: number
}

export interface FetchRequest extends AbortOptions {
  readonly reference: Reference
  readonly descriptor: Descriptor
  readonly kind: ContentKind
}

/** Error codes of a connection that the server has closed. */
const closed = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'UND_ERR_SOCKET'])

/**
 * The bytes from `progress.position` to the end from one host. A body that breaks off is resumed by a range request; if
 * the server does not support that, it is read from the start and the known part skipped (docs/threat-model.md C05).
 * Gives up after `limits.attempts` consecutive tries without progress; less than `limits.minimumRate` is no progress.
 *
 * @throws `data_loss` if the server keeps ending the body early; `invalid_argument` if its size differs from the
 * descriptor's; excess bytes are never delivered (docs/threat-model.md B03); the errors of `responseError` and
 * `networkError`
 */
export async function* fetchAt(
  client: RegistryClient,
  host: RegistryHost,
  request: FetchRequest,
  progress: Progress,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { descriptor, signal } = request
  const { limits } = client
  let byRange = true
  let failures = 0
  const enough = (limits.minimumRate * limits.rateWindow) / 1000
  while (progress.position < descriptor.size) {
    signal?.throwIfAborted()
    const before = progress.position
    try {
      const reply = await open(client, host, request, byRange ? before : 0)
      const start = startOf(reply, before, descriptor)
      byRange &&= start !== undefined
      if (start === undefined) await discard(reply)
      else yield* bodyFrom(reply, start, request, progress, client)
    } catch (error) {
      signal?.throwIfAborted()
      if (!isTransient(error)) throw error
      failures = progress.position - before >= enough ? 1 : failures + 1
      if (failures >= limits.attempts) throw error
      await backOff(error, failures, limits, { signal })
    }
  }
}

function open(
  client: RegistryClient,
  host: RegistryHost,
  { reference, descriptor, kind, signal }: FetchRequest,
  offset: number,
): Promise<Reply> {
  const { mediaType } = descriptor
  const accept: HeaderFields = { accept: `${mediaType}, ${kind === 'manifests' ? acceptManifests : '*/*'}` }
  return client.request(
    host,
    {
      method: 'GET',
      at: [reference.repository, kind, descriptor.digest],
      headers: { ...accept, ...(offset > 0 && { range: `bytes=${offset}-` }) },
      scopes: [repositoryScope(reference.repository, 'pull')],
      reference: formatReference(reference),
      signal,
    },
    offset > 0 ? [200, 206, 416] : [200],
  )
}

/**
 * The offset at which the body starts, or undefined if the server's answer to a range is useless.
 *
 * @throws `invalid_argument` for content that is encoded or of another size
 */
function startOf(reply: Reply, asked: number, { size }: Descriptor): number | undefined {
  const context = `GET ${reply.address}`
  const encoding = singleHeader(reply, 'content-encoding') ?? 'identity'
  if (encoding !== 'identity')
    throw new NsboxError('invalid_argument', `${context}: the reply is encoded, which was not asked for`)
  if (reply.status === 416) return undefined
  const length = singleHeader(reply, 'content-length')
  if (reply.status === 200) {
    if (length !== undefined && Number(length) !== size) throw otherSize(context, size, `${Number(length)}`)
    return 0
  }
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(?:(\d{1,15})|\*)$/.exec(
    singleHeader(reply, 'content-range') ?? '',
  )
  if (!range || Number(range[1]) !== asked) return undefined
  if (range[3] !== undefined && Number(range[3]) !== size)
    throw otherSize(context, size, `${Number(range[3])}`)
  return asked
}

async function* bodyFrom(
  reply: Reply,
  start: number,
  { descriptor: { size } }: FetchRequest,
  progress: Progress,
  { limits, onArrival }: Pick<RegistryClient, 'limits' | 'onArrival'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const context = `GET ${reply.address}`
  let at = start
  try {
    for await (const chunk of watchThroughput(reply.body, context, limits)) {
      const skipped = Math.max(0, progress.position - at)
      at += chunk.byteLength
      onArrival(chunk.byteLength)
      const fresh = chunk.subarray(skipped, chunk.byteLength - Math.max(0, at - size))
      progress.position += fresh.byteLength
      if (fresh.byteLength > 0) yield fresh
      if (at > size) break
    }
  } catch (error) {
    // After the last byte, errors of the connection are ignored.
    if (progress.position < size) throw bodyError(error, context, at, size)
  }
  if (at > size) throw otherSize(context, size, 'more')
  if (at < size) throw cutShort(context, at, size)
}

function bodyError(error: unknown, context: string, at: number, size: number): unknown {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return closed.has(code ?? '') ? cutShort(context, at, size, error) : networkError(error, context)
}

function cutShort(context: string, at: number, size: number, cause?: unknown): NsboxError {
  return new NsboxError('data_loss', `${context}: the body ended after ${at} of ${size} bytes`, {
    cause,
    details: { transient: true },
  })
}

function otherSize(context: string, expected: number, found: string): NsboxError {
  return new NsboxError('invalid_argument', `${context}: the reply has ${found} bytes instead of ${expected}`)
}
