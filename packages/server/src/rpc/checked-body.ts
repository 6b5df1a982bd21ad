import type { DescMessage } from '@bufbuild/protobuf'
import { countFields, toConnectError } from '@nsbox/api'
import { DisposableStack } from '@whatwg-node/disposablestack'
import { checkJson, maxJsonBytes } from './check-json.ts'
import { accountFor, headBytes, MessageReader, windowBytes } from './message-reader.ts'
import { decodedBytes } from './parse-message.ts'
import type { RequestCall } from './request-call.ts'

/** The form of a request's body. */
export interface BodyOptions {
  readonly contentType: string
  readonly schema: DescMessage
  readonly hasOneRequest: boolean
}

/**
 * The body of a request for connect-node: read only as budgets allow, and each message only once it is complete and its
 * fields have been counted.
 */
export function checkedBody(
  body: AsyncIterable<Uint8Array>,
  call: RequestCall,
  { contentType, schema, hasOneRequest }: BodyOptions,
): AsyncIterable<Uint8Array> {
  const isJson = /^application\/(.*\+)?json\b/.test(contentType)
  const maxBytes = isJson ? Math.min(maxJsonBytes, call.maxRequestBytes) : call.maxRequestBytes
  const reader = () => new MessageReader(body[Symbol.asyncIterator](), call, { maxBytes })
  return /^application\/(grpc|connect)/.test(contentType) ? coded(inFrames()) : coded(asOne())

  /** gRPC, gRPC-Web and streams of Connect. */
  async function* inFrames(): AsyncGenerator<Uint8Array> {
    call.held.use(arriving())
    using messages = reader()
    call.expect()
    for (;;) {
      using own = new DisposableStack()
      const held = hasOneRequest ? call.held : own
      if (!(await messages.more())) return call.expectNothing()
      call.expect()
      const frame = await messages.nextFrame(held)
      if (frame === undefined) return
      call.expectNothing()
      await count(frame.subarray(headBytes), held)
      yield frame
    }
  }

  /** A unary call of Connect: the body is one message. */
  async function* asOne(): AsyncGenerator<Uint8Array> {
    using bytes = reader()
    call.held.use(arriving())
    call.expect()
    const message = await bytes.rest(call.held)
    call.expectNothing()
    await count(message, call.held)
    yield message
  }

  /** connect-node would report errors of another kind as internal. */
  async function* coded(messages: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* messages
    } catch (error) {
      throw toConnectError(error)
    }
  }

  function arriving(): Disposable {
    return call.budgets.arriving.take(call.connection, windowBytes, (reason) => call.abort(reason))
  }

  async function count(bytes: Uint8Array, held: DisposableStack): Promise<void> {
    if (hasOneRequest) accountFor(bytes, call)
    const size = decodedBytes(bytes, isJson ? checkJson(bytes) : countFields(schema, bytes))
    const { connection, budgets, signal } = call
    held.use(await budgets.decoded.wait(connection, size, (reason) => call.abort(reason), signal))
  }
}
