import {
  create,
  type DescMessage,
  type DescMethodStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import {
  Code,
  ConnectError,
  createContextValues,
  type StreamResponse,
  type Transport,
  type UnaryResponse,
} from '@connectrpc/connect'
import { runStreamingCall, runUnaryCall } from '@connectrpc/connect/protocol'
import { decodeMessage, toConnectError } from '@nsbox/api'
import { RequestSchema, ResponseSchema } from '@nsbox/api/gen/ttrpc/request_pb'
import { onAbort } from '@nsbox/concurrency'
import { type Frame, frameFlags, frameTypes, tooLarge } from '../frame.ts'
import { toMetadata } from '../metadata.ts'
import { fromStatus } from '../status.ts'
import type { ClientStream, ClientStreams } from './client-streams.ts'

type Method<I extends DescMessage, O extends DescMessage> = DescMethodUnary<I, O> | DescMethodStreaming<I, O>

/** The common part of calls with one message and with many. */
interface CallInit {
  readonly timeoutMs: number | undefined
  readonly header: Headers
}

/** Makes calls over a connection, with deadlines and metadata. */
export function ttrpcTransport(streams: ClientStreams, serviceName: string | undefined): Transport {
  const serviceOf = (method: DescMethodUnary | DescMethodStreaming) => serviceName ?? method.parent.typeName

  function request<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    { timeoutMs, header }: CallInit,
    payload: Uint8Array,
  ): Uint8Array {
    return toBinary(
      RequestSchema,
      create(RequestSchema, {
        service: serviceOf(method as Method<DescMessage, DescMessage>),
        method: method.name,
        payload,
        timeoutNano: timeoutMs === undefined ? 0n : BigInt(Math.max(1, Math.floor(timeoutMs))) * 1_000_000n,
        metadata: toMetadata(header),
      }),
    )
  }

  return {
    async unary<I extends DescMessage, O extends DescMessage>(
      method: DescMethodUnary<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      headers: ConstructorParameters<typeof Headers>[0],
      input: MessageInitShape<I>,
    ): Promise<UnaryResponse<I, O>> {
      const header = new Headers(headers)
      return await runUnaryCall<I, O>({
        signal,
        ...given(timeoutMs),
        req: { stream: false, ...callOf(method, header), message: input },
        next: async ({ message, signal }) => {
          const bytes = request(method, { timeoutMs, header }, toBinary(method.input, message))
          using stream = await streams.open(bytes, 0)
          using _ = onAbort(signal, () => stream.inbox.fail(signal.reason))
          const answer = await final(stream)
          return { stream: false, ...answerOf(method), message: decoded(method.output, answer) }
        },
      })
    },

    async stream<I extends DescMessage, O extends DescMessage>(
      method: DescMethodStreaming<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      headers: ConstructorParameters<typeof Headers>[0],
      input: AsyncIterable<MessageInitShape<I>>,
    ): Promise<StreamResponse<I, O>> {
      const header = new Headers(headers)
      return await runStreamingCall<I, O>({
        signal,
        ...given(timeoutMs),
        req: { stream: true, ...callOf(method, header), message: input },
        next: async ({ message, signal }) => {
          const isOne = method.methodKind === 'server_streaming'
          const first = isOne ? toBinary(method.input, await only(message)) : new Uint8Array()
          const flags = isOne ? frameFlags.remoteClosed : frameFlags.remoteOpen
          const stream = await streams.open(request(method, { timeoutMs, header }, first), flags)
          const aborting = onAbort(signal, () => stream.inbox.fail(signal.reason))
          if (!isOne) void send(stream, method, message)
          return {
            stream: true,
            ...answerOf(method),
            message: answers(stream, method, aborting),
          }
        },
      })
    },
  }
}

/** Sends the messages of a caller. If reading them fails, the call fails with the same error. */
async function send<I extends DescMessage, O extends DescMessage>(
  stream: ClientStream,
  method: DescMethodStreaming<I, O>,
  messages: AsyncIterable<MessageShape<I>>,
): Promise<void> {
  try {
    for await (const message of messages) await stream.send(toBinary(method.input, message), 0)
    await stream.send(new Uint8Array(), frameFlags.remoteClosed | frameFlags.noData)
  } catch (error) {
    stream.inbox.fail(toConnectError(error))
  }
}

async function* answers<I extends DescMessage, O extends DescMessage>(
  stream: ClientStream,
  method: DescMethodStreaming<I, O>,
  aborting: Disposable,
): AsyncGenerator<MessageShape<O>, void> {
  using _stream = stream
  using _aborting = aborting
  for (;;) {
    const frame = await taken(stream)
    if (frame.type === frameTypes.response) {
      const payload = succeeded(frame)
      // The frame that ends a stream may have no message.
      if (method.methodKind === 'client_streaming' || payload.length > 0)
        yield decoded(method.output, payload)
      return
    }
    if (frame.type !== frameTypes.data || method.methodKind === 'client_streaming') throw unexpected(frame)
    if ((frame.flags & frameFlags.noData) === 0) yield decoded(method.output, frame.data)
    if ((frame.flags & frameFlags.remoteClosed) !== 0) return
  }
}

/** The payload of the only answer to a call. */
async function final(stream: ClientStream): Promise<Uint8Array> {
  const frame = await taken(stream)
  if (frame.type !== frameTypes.response) throw unexpected(frame)
  return succeeded(frame)
}

async function taken({ inbox }: ClientStream): Promise<Frame> {
  const frame = await inbox.take()
  if (frame === undefined) throw new ConnectError('ttrpc: the call was given up: canceled', Code.Canceled)
  if (frame.isTooLarge) throw tooLarge()
  return frame
}

/** @throws the status, unless it is success */
function succeeded({ data }: Frame): Uint8Array {
  const { status, payload } = decoded(ResponseSchema, data)
  const error = fromStatus(status)
  if (error !== undefined) throw error
  return payload
}

function decoded<Desc extends DescMessage>(schema: Desc, data: Uint8Array): MessageShape<Desc> {
  try {
    return decodeMessage(schema, data)
  } catch (error) {
    throw toConnectError(error)
  }
}

async function only<T>(messages: AsyncIterable<T>): Promise<T> {
  for await (const message of messages) return message
  throw new ConnectError('ttrpc: a call without a message: invalid argument', Code.InvalidArgument)
}

function callOf<M extends DescMethodUnary | DescMethodStreaming>(method: M, header: Headers) {
  const url = `ttrpc:/${method.parent.typeName}/${method.name}`
  const contextValues = createContextValues()
  return { service: method.parent, method, requestMethod: 'POST', url, header, contextValues }
}

function answerOf<M extends DescMethodUnary | DescMethodStreaming>(method: M) {
  return { service: method.parent, method, header: new Headers(), trailer: new Headers() }
}

const given = (timeoutMs: number | undefined) => (timeoutMs === undefined ? {} : { timeoutMs })

function unexpected({ type }: Frame): ConnectError {
  return new ConnectError(`ttrpc: a frame of type ${type} where an answer was due: internal`, Code.Internal)
}
