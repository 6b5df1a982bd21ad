import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import { toBigInt, toSafeNumber, toTimestamp } from '@nsbox/api'
import {
  WriteAction,
  type WriteContentRequestSchema,
  type WriteContentResponseSchema,
} from '@nsbox/api/gen/services/content/v1/content_pb'
import type { AbortOptions, ContentStore, ContentWriter } from '@nsbox/core/content'
import { isNotFound, NsboxError } from '@nsbox/errors'
import { type Digest, parseDigest } from '@nsbox/oci'
import { openWriter } from './open-writer.ts'

type Request = MessageShape<typeof WriteContentRequestSchema>
type Response = MessageInitShape<typeof WriteContentResponseSchema>

/** The size and digest that the client has announced so far; later messages may change them. */
interface Declared {
  total: number
  expected: Digest | undefined
}

/** Options for serving a write. */
export interface ServeWriteOptions extends AbortOptions {
  /** Called with the ref when a client begins to write. */
  readonly onBegin: (ref: string) => void
}

/**
 * Serves one stream of `Content.Write`: the first message opens the ingest, each message is answered by one, and the
 * end of the stream closes the ingest, which keeps what was written (docs/behaviour.md §13).
 */
export async function* serveWrite(
  content: ContentStore,
  requests: AsyncIterable<Request>,
  { onBegin, signal }: ServeWriteOptions,
): AsyncGenerator<Response> {
  let session: WriteSession | undefined
  try {
    for await (const request of requests) {
      if (session === undefined) {
        session = await WriteSession.open(content, request, { signal })
        onBegin(request.ref)
      }
      yield await session.handle(request, { signal })
    }
  } finally {
    await session?.close()
  }
}

class WriteSession {
  readonly #content: ContentStore
  readonly #writer: ContentWriter
  readonly #declared: Declared

  static async open(content: ContentStore, first: Request, { signal }: AbortOptions): Promise<WriteSession> {
    const { ref } = first
    if (ref === '') throw new NsboxError('invalid_argument', 'first message must have a reference')
    const { total, expected } = declare({ total: 0, expected: undefined }, first)
    const ingest = { ref, ...(total > 0 ? { total } : {}), ...(expected ? { expected } : {}) }
    const writer = await openWriter(content, ingest, { signal })
    return new WriteSession(content, writer, { total, expected })
  }

  private constructor(content: ContentStore, writer: ContentWriter, declared: Declared) {
    this.#content = content
    this.#writer = writer
    this.#declared = declared
  }

  async handle(request: Request, options: AbortOptions): Promise<Response> {
    Object.assign(this.#declared, declare(this.#declared, request))
    if (request.expected !== '') await this.#refuseExisting(parseDigest(request.expected), options)
    switch (request.action) {
      case WriteAction.STAT:
        return this.#answer(request)
      case WriteAction.WRITE:
        await this.#write(request, options)
        return this.#answer(request)
      case WriteAction.COMMIT:
        await this.#write(request, options)
        return await this.#commit(request, options)
      default:
        throw new NsboxError('invalid_argument', `write action ${Number(request.action)}`)
    }
  }

  async close(): Promise<void> {
    await this.#writer[Symbol.asyncDispose]()
  }

  /** Ends the ingest if the blob exists by now. */
  async #refuseExisting(digest: Digest, options: AbortOptions): Promise<void> {
    try {
      await this.#content.info(digest, options)
    } catch (error) {
      if (isNotFound(error)) return
      throw error
    }
    await this.#content.abort(this.#writer.ref, options)
    throw new NsboxError('already_exists', `content ${digest}`)
  }

  async #write(request: Request, options: AbortOptions): Promise<void> {
    const { offset } = this.#writer.status()
    const at = toSafeNumber(request.offset, 'offset')
    if (at < 0 || (at > 0 && at !== offset)) {
      throw new NsboxError('out_of_range', `write @${at} must occur at current offset ${offset}`, {
        details: { offset },
      })
    }
    if (at === 0 && offset > 0) await this.#writer.restart(options)
    if (request.data.byteLength > 0) await this.#writer.write(request.data, options)
  }

  async #commit(request: Request, { signal }: AbortOptions): Promise<Response> {
    const { total, expected } = this.#declared
    const before = this.#answer(request)
    const info = await this.#writer.commit({
      ...(total > 0 ? { size: total } : {}),
      ...(expected === undefined ? {} : { expected }),
      labels: request.labels,
      signal,
    })
    return { ...before, offset: toBigInt(info.size, 'offset'), digest: info.digest }
  }

  #answer({ action }: Request): Response {
    const status = this.#writer.status()
    return {
      action,
      startedAt: toTimestamp(status.startedAt),
      updatedAt: toTimestamp(status.updatedAt),
      offset: toBigInt(status.offset, 'status.Offset'),
      total: toBigInt(this.#declared.total || status.total, 'status.Total'),
      // The digest of the bytes so far: clients use it as the blob's name if the commit answers that it exists.
      digest: this.#writer.digest?.() ?? '',
    }
  }
}

function declare({ total, expected }: Declared, request: Request): Declared {
  const said = toSafeNumber(request.total, 'total')
  return {
    total: said > 0 ? said : total,
    expected: request.expected === '' ? expected : parseDigest(request.expected),
  }
}
