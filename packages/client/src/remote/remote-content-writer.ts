import type { MessageInitShape } from '@bufbuild/protobuf'
import { toBigInt, toSafeNumber } from '@nsbox/api'
import {
  Content,
  WriteAction,
  type WriteContentRequestSchema,
  type WriteContentResponse,
} from '@nsbox/api/gen/services/content/v1/content_pb'
import type {
  AbortOptions,
  CommitOptions,
  ContentInfo,
  ContentReader,
  ContentWriter,
  IngestOptions,
  IngestStatus,
} from '@nsbox/core/content'
import { checkName } from '@nsbox/core/names'
import { isNotFound, NsboxError } from '@nsbox/errors'
import { assertDigest, parseDigest } from '@nsbox/oci'
import { systemClock, type Timestamp } from '@nsbox/time'
import type { Duplex } from '../connection/duplex.ts'
import { receivedTime } from '../connection/received.ts'
import type { Rpc } from '../connection/rpc.ts'

type Request = MessageInitShape<typeof WriteContentRequestSchema>
type WriteStream = Duplex<Request, WriteContentResponse>

/** Bytes of one message; what containerd's own client sends. */
const chunkSize = 1024 * 1024

/** How long, in milliseconds, a server may take to close an ingest before the stream is reset instead. */
const closeTimeout = 5_000

/**
 * Opens an ingest over the Write stream. It does not retry while the ref is locked, as it may be just after its last
 * writer was reset: containerd itself waits before it says `unavailable` (docs/behaviour.md §13).
 */
export async function openRemoteWriter(
  rpc: Rpc,
  content: Pick<ContentReader, 'info'>,
  options: IngestOptions,
  { signal }: AbortOptions,
): Promise<ContentWriter> {
  const { ref, total = 0, expected } = options
  // A ref that UTF-8 cannot express would name another ingest on the server.
  checkName('ref', ref)
  if (expected !== undefined) assertDigest(expected)
  const open = { action: WriteAction.STAT, ref, total: toBigInt(total, 'total'), expected: expected ?? '' }
  const stream = rpc.duplex(Content.method.write)
  try {
    const response = await stream.exchange(open, { signal })
    return new RemoteContentWriter(stream, content, options, response)
  } catch (error) {
    stream[Symbol.dispose]()
    throw error
  }
}

class RemoteContentWriter implements ContentWriter {
  readonly ref: string
  readonly #stream: WriteStream
  readonly #content: Pick<ContentReader, 'info'>
  readonly #options: IngestOptions
  readonly #startedAt: Timestamp
  #updatedAt: Timestamp
  #offset: number
  #closed = false

  constructor(
    stream: WriteStream,
    content: Pick<ContentReader, 'info'>,
    options: IngestOptions,
    opened: WriteContentResponse,
  ) {
    this.ref = options.ref
    this.#stream = stream
    this.#content = content
    this.#options = options
    this.#startedAt = receivedTime(opened.startedAt, 'started_at')
    this.#updatedAt = receivedTime(opened.updatedAt, 'updated_at')
    this.#offset = toSafeNumber(opened.offset, 'offset')
  }

  status(): IngestStatus {
    const { total = 0, expected } = this.#options
    return {
      ref: this.ref,
      offset: this.#offset,
      total,
      startedAt: this.#startedAt,
      updatedAt: this.#updatedAt,
      ...(expected === undefined ? {} : { expected }),
    }
  }

  async write(bytes: Uint8Array, options: AbortOptions = {}): Promise<void> {
    for (let start = 0; start < bytes.byteLength; start += chunkSize) {
      await this.#write(bytes.subarray(start, start + chunkSize), options)
    }
  }

  async restart(options: AbortOptions = {}): Promise<void> {
    this.#offset = 0
    // A write at offset 0, even of no bytes, tells the server to truncate.
    await this.#write(new Uint8Array(), options)
  }

  async commit(options: CommitOptions & AbortOptions = {}): Promise<ContentInfo> {
    try {
      return await this.#commit(options)
    } finally {
      await this[Symbol.asyncDispose]()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#stream.end()
    // When the responses end, the server has released the ref.
    const signal = AbortSignal.timeout(closeTimeout)
    await this.#stream.receive({ signal }).catch(() => undefined)
    this.#stream[Symbol.dispose]()
  }

  async #commit(options: CommitOptions & AbortOptions): Promise<ContentInfo> {
    const { size, expected, labels = {}, signal } = options
    if (expected !== undefined) assertDigest(expected)
    // Checked here: in a request, a size of 0 means any size.
    if (size !== undefined && size !== this.#offset) {
      throw new NsboxError('failed_precondition', `unexpected commit size ${this.#offset}, expected ${size}`)
    }
    const request = {
      action: WriteAction.COMMIT,
      offset: BigInt(this.#offset),
      total: BigInt(size ?? 0),
      expected: expected ?? '',
      labels: { ...labels },
    }
    const response = await this.#exchange(request, { signal })
    const digest = parseDigest(response.digest)
    try {
      return await this.#content.info(digest, { signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
      // It was committed; if no lease or label holds it, it may have been collected since.
      const now = systemClock.stamp()
      return { digest, size: this.#offset, createdAt: now, updatedAt: now, labels }
    }
  }

  async #write(data: Uint8Array, options: AbortOptions): Promise<void> {
    const offset = this.#offset
    const response = await this.#exchange(
      { action: WriteAction.WRITE, offset: BigInt(offset), data },
      options,
    )
    const reached = toSafeNumber(response.offset, 'offset')
    if (reached !== offset + data.byteLength) {
      await this[Symbol.asyncDispose]()
      throw new NsboxError(
        'data_loss',
        `ingest ${this.ref}: the server is at offset ${reached}, not ${offset + data.byteLength}`,
      )
    }
    this.#offset = reached
    this.#updatedAt = response.updatedAt
      ? receivedTime(response.updatedAt, 'updated_at')
      : systemClock.stamp()
  }

  async #exchange(request: Request, options: AbortOptions): Promise<WriteContentResponse> {
    options.signal?.throwIfAborted()
    if (this.#closed) throw new NsboxError('failed_precondition', `writer of ingest ${this.ref} is closed`)
    try {
      return await this.#stream.exchange(request, options)
    } catch (error) {
      this.#closed = true
      this.#stream[Symbol.dispose]()
      throw error
    }
  }
}
