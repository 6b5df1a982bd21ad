import type { ServerHttp2Stream } from 'node:http2'
import { Code, ConnectError } from '@connectrpc/connect'
import { DisposableStack } from '@whatwg-node/disposablestack'
import { accountFor, headBytes, MessageReader, windowBytes } from '../message-reader.ts'
import type { GrpcCall } from './grpc-call.ts'

/**
 * Reads the single message of a call, to the end of the stream. Reports an error as soon as it is seen. The message
 * holds its part of the budgets until the call ends.
 *
 * @throws `resource_exhausted` for more bytes than allowed; `invalid_argument` for a message that is cut off;
 * `internal` for one that is compressed; `unimplemented` for none, or more than one; the reason if the call is aborted
 */
export async function readMessage(stream: ServerHttp2Stream, call: GrpcCall): Promise<Uint8Array> {
  call.expect()
  try {
    const { first, isAll } = await firstPiece(stream, call)
    return isAll ? first.subarray(headBytes) : await messageFrom(stream, call, first)
  } finally {
    call.expectNothing()
    // Further bytes of the client are discarded, so that they do not fill its window.
    stream.resume()
  }
}

async function messageFrom(stream: ServerHttp2Stream, call: GrpcCall, first: Buffer): Promise<Uint8Array> {
  using reader = new MessageReader(piecesOf(stream), call, { first })
  const message = await reader.next(call.held)
  if (message === undefined) throw count('missing')
  accountFor(message, call)
  if (await reader.more()) throw count('received extra')
  return message
}

/** Reads the messages of a call on demand. Each holds its part of the budgets until the next one is read. */
export async function* readMessages(stream: ServerHttp2Stream, call: GrpcCall): AsyncGenerator<Uint8Array> {
  // Bytes that the client may send before they are read.
  call.held.use(call.budgets.arriving.take(call.connection, windowBytes, (reason) => call.abort(reason)))
  using reader = new MessageReader(piecesOf(stream), call)
  call.expect()
  try {
    for (;;) {
      using held = new DisposableStack()
      if (!(await reader.more())) return
      call.expect()
      const message = await reader.next(held)
      if (message === undefined) return
      call.expectNothing()
      yield message
    }
  } finally {
    call.expectNothing()
  }
}

/**
 * The first bytes, and whether they are the whole body of one message. Usually they are, and then this is faster than
 * iterating.
 */
function firstPiece(stream: ServerHttp2Stream, call: GrpcCall): Promise<{ first: Buffer; isAll: boolean }> {
  return new Promise((resolve, reject) => {
    let first: Buffer | undefined
    const settle = (action: () => void) => {
      stream.off('data', onData)
      stream.off('end', onEnd)
      call.onAbort = undefined
      action()
    }
    const onData = (piece: Buffer) => {
      const isSecond = first !== undefined
      first = first === undefined ? piece : Buffer.concat([first, piece])
      if (!isSecond && isWhole(piece)) return
      const found = { first, isAll: false }
      settle(() => {
        stream.pause()
        resolve(found)
      })
    }
    const onEnd = () =>
      settle(() => (first === undefined ? reject(count('missing')) : resolve({ first, isAll: true })))
    call.onAbort = (reason) => settle(() => reject(reason))
    stream.on('data', onData)
    stream.on('end', onEnd)
  })
}

/** Whether a piece is exactly one message, which fits into a frame and so into every limit. */
function isWhole(piece: Buffer): boolean {
  return piece.length >= headBytes && piece[0] === 0 && piece.readUInt32BE(1) === piece.length - headBytes
}

/** The pieces of a stream; when the iteration ends, the rest is discarded. */
function piecesOf(stream: ServerHttp2Stream): AsyncIterator<Buffer> {
  const pieces = stream.iterator({ destroyOnReturn: false })
  return {
    next: () => pieces.next(),
    async return() {
      await pieces.return?.()
      stream.resume()
      return { done: true, value: undefined }
    },
  }
}

function count(what: string): ConnectError {
  return new ConnectError(`protocol error: ${what} input message`, Code.Unimplemented)
}
