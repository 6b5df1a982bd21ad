import {
  create,
  type DescMessage,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import {
  Code,
  ConnectError,
  createHandlerContext,
  type HandlerContext,
  type MethodImplSpec,
} from '@connectrpc/connect'
import { decodeMessage } from '@nsbox/api'
import { type RequestSchema, ResponseSchema } from '@nsbox/api/gen/ttrpc/request_pb'
import { onAbort } from '@nsbox/concurrency'
import type { Backlog } from '../backlog.ts'
import { type Frame, frameFlags, frameTypes } from '../frame.ts'
import type { FrameWriter } from '../frame-writer.ts'
import { Inbox } from '../inbox.ts'
import { fromMetadata } from '../metadata.ts'
import { toStatus } from '../status.ts'

/** Node's longest timer, in milliseconds. */
const longestTimer = 2 ** 31 - 1

/** The parts of a call. */
export interface ServerCallParts {
  /** The frame that began it, with the request. */
  readonly frame: Frame
  readonly request: MessageShape<typeof RequestSchema>
  readonly spec: MethodImplSpec
  readonly writer: FrameWriter
  readonly backlog: Backlog
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal
}

type Answer = MessageInitShape<DescMessage>

/** A call that is being answered. */
export class ServerCall {
  /** Resolves when it has been answered, or the client has disconnected; never rejects. */
  readonly ended: Promise<void>
  /** Messages after the first one. */
  readonly inbox: Inbox
  readonly #parts: ServerCallParts

  constructor(parts: ServerCallParts) {
    this.#parts = parts
    this.inbox = new Inbox(parts.backlog)
    if ((parts.frame.flags & frameFlags.remoteOpen) === 0) this.inbox.close()
    this.ended = this.#run()
  }

  async #run(): Promise<void> {
    const { frame, request, spec, writer, signal } = this.#parts
    const { streamId } = frame
    using _inbox = this.inbox
    try {
      const context = createHandlerContext({
        service: spec.method.parent,
        method: spec.method,
        protocolName: 'ttrpc',
        requestMethod: 'POST',
        url: `ttrpc:/${request.service}/${request.method}`,
        ...timeoutOf(request),
        requestSignal: signal,
        requestHeader: fromMetadata(request.metadata),
      })
      using _ended = { [Symbol.dispose]: () => context.abort() }
      using _waiting = onAbort(context.signal, () => this.inbox.fail(context.signal.reason))
      await this.#answer(context)
    } catch (error) {
      await answerError(writer, streamId, error)
    }
  }

  async #answer(context: HandlerContext): Promise<void> {
    const { frame, request, spec, writer } = this.#parts
    const { streamId } = frame
    const first = () => decodeMessage(spec.method.input, request.payload)
    if (spec.kind === 'unary' || spec.kind === 'client_streaming') {
      const answer =
        spec.kind === 'unary'
          ? await spec.impl(first() as never, context)
          : await spec.impl(this.#messages() as never, context)
      const response = create(ResponseSchema, { payload: this.#encoded(answer as Answer) })
      await writer.write({
        streamId,
        type: frameTypes.response,
        flags: 0,
        data: toBinary(ResponseSchema, response),
      })
      return
    }
    const answers =
      spec.kind === 'server_streaming'
        ? spec.impl(first() as never, context)
        : spec.impl(this.#messages() as never, context)
    for await (const answer of answers as AsyncIterable<Answer>) {
      context.signal.throwIfAborted()
      await writer.write({ streamId, type: frameTypes.data, flags: 0, data: this.#encoded(answer) })
    }
    const flags = frameFlags.remoteClosed | frameFlags.noData
    await writer.write({ streamId, type: frameTypes.data, flags, data: new Uint8Array() })
  }

  async *#messages(): AsyncGenerator<Message, void> {
    const { request, spec } = this.#parts
    const { input } = spec.method
    if (request.payload.length > 0) yield decodeMessage(input, request.payload)
    for (;;) {
      const frame = await this.inbox.take()
      if (frame === undefined) return
      yield decodeMessage(input, frame.data)
    }
  }

  #encoded(answer: Answer): Uint8Array {
    const { output } = this.#parts.spec.method
    return toBinary(output, create(output, answer))
  }
}

/** Answers with an error, if the connection is still open. */
export async function answerError(writer: FrameWriter, streamId: number, error: unknown): Promise<void> {
  const data = toBinary(ResponseSchema, create(ResponseSchema, { status: toStatus(error) }))
  try {
    await writer.write({ streamId, type: frameTypes.response, flags: 0, data })
  } catch (failure) {
    if (!(failure instanceof ConnectError && failure.code === Code.Unavailable)) throw failure
  }
}

function timeoutOf({ timeoutNano }: MessageShape<typeof RequestSchema>): { readonly timeoutMs?: number } {
  if (timeoutNano === 0n) return {}
  const milliseconds = Math.ceil(Number(timeoutNano) / 1e6)
  return { timeoutMs: Math.min(Math.max(milliseconds, 0), longestTimer) }
}
