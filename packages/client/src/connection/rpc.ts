import type {
  DescMessage,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf'
import type { Transport } from '@connectrpc/connect'
import { createTransport as createGrpcTransport } from '@connectrpc/connect/protocol-grpc'
import { createNodeHttpClient } from '@connectrpc/connect-node'
import { leaseHeader, maxMessageBytes, namespaceHeader } from '@nsbox/api'
import type { AbortOptions } from '@nsbox/core/content'
import { tellingWhatWasAsked } from './asked-object.ts'
import { Call } from './call.ts'
import { type AnswerTypes, checkAnswers } from './checked-answers.ts'
import { Duplex } from './duplex.ts'
import { retryRefused } from './retry-refused.ts'
import type { Session } from './session.ts'

/** What every call of a view sends as headers. */
export interface Binding {
  readonly namespace: string
  /** Protects what the calls make from the collector. */
  readonly lease?: string | undefined
}

/**
 * Makes the calls of one namespace, and of one lease if there is one, over a session that it shares with others.
 *
 * All calls fail with an NsboxError: the server's; `unavailable` naming the address if there was no connection or it
 * was lost; `canceled` after the session was disposed of. An abort rejects with the signal's reason at once and resets
 * the stream.
 */
export class Rpc {
  readonly binding: Binding
  readonly session: Session
  readonly #answers: AnswerTypes | undefined
  readonly #transport: Transport
  readonly #headers: Record<string, string>

  /**
   * @internal programs that use the client need not have the types of its transport
   * @param answers to check answers before they are decoded, for a server that is not trusted
   */
  constructor(
    session: Session,
    binding: Binding,
    answers?: AnswerTypes,
    transport: Transport = createTransport(session, answers),
  ) {
    this.session = session
    this.binding = binding
    this.#answers = answers
    this.#transport = transport
    this.#headers = {
      [namespaceHeader]: binding.namespace,
      ...(session.token === undefined ? {} : { authorization: `Bearer ${session.token}` }),
      ...(binding.lease === undefined ? {} : { [leaseHeader]: binding.lease }),
    }
  }

  /** The same session with another namespace or lease. */
  bind(binding: Partial<Binding>): Rpc {
    return new Rpc(this.session, { ...this.binding, ...binding }, this.#answers, this.#transport)
  }

  /** One request, one response. */
  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    options: AbortOptions = {},
  ): Promise<MessageShape<O>> {
    this.#answers?.note(method)
    using call = new Call(this.session, options)
    try {
      const response = await retryRefused(() =>
        this.#transport.unary(method, call.signal, undefined, this.#headers, input),
      )
      return response.message
    } catch (error) {
      throw tellingWhatWasAsked(call.reasonOf(error), method, input)
    }
  }

  /** One request, many responses. Nothing is sent before the first response is asked for. */
  async *serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    input: MessageInitShape<I>,
    options: AbortOptions = {},
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    this.#answers?.note(method)
    using call = new Call(this.session, options)
    try {
      const response = await retryRefused(() =>
        this.#transport.stream(method, call.signal, undefined, this.#headers, only(input)),
      )
      yield* response.message
    } catch (error) {
      throw tellingWhatWasAsked(call.reasonOf(error), method, input)
    }
  }

  /** Requests and responses in any order; the stream must be disposed of. */
  duplex<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
  ): Duplex<MessageInitShape<I>, MessageShape<O>> {
    this.#answers?.note(method)
    return new Duplex(this.session, async (signal, requests) => {
      const response = await this.#transport.stream(method, signal, undefined, this.#headers, requests)
      return response.message
    })
  }
}

function createTransport(session: Session, answers: AnswerTypes | undefined): Transport {
  const httpClient = createNodeHttpClient({ httpVersion: '2', sessionProvider: () => session })
  return createGrpcTransport({
    baseUrl: session.authority,
    httpClient: answers === undefined ? httpClient : checkAnswers(httpClient, answers),
    useBinaryFormat: true,
    interceptors: [],
    readMaxBytes: maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
    // Bytes go through memory, and blobs are compressed already.
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: 0,
  })
}

async function* only<T>(value: T): AsyncGenerator<T, void, undefined> {
  yield value
}
