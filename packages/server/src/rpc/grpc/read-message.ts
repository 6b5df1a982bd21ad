import type { ServerHttp2Stream } from 'node:http2'
import { Code, ConnectError } from '@connectrpc/connect'
import { maxMessageBytes } from '../message-limit.ts'
import type { GrpcCall } from './grpc-call.ts'

/** Flags and length, before each message. */
const headBytes = 5

/**
 * Reads the one message of a call, to the end of the stream. What is wrong with it is told as soon as it is seen.
 *
 * @throws `resource_exhausted` for more bytes than allowed; `invalid_argument` for a message that is cut off; `internal`
 * for one that is compressed; `unimplemented` for none, or more than one; the reason if the call is aborted
 */
export function readMessage(stream: ServerHttp2Stream, call: GrpcCall): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let head: Buffer | undefined
    let wanted = headBytes
    const stop = () => {
      stream.off('data', onData)
      stream.off('end', onEnd)
      call.onAbort = undefined
    }
    const fail = (error: unknown) => {
      stop()
      // What the client goes on to send is nobody's, and must not fill its window.
      stream.resume()
      reject(error)
    }
    const onData = (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size < headBytes) return
      // Joined once more at the end only: a large message comes in many pieces.
      head ??= chunks.length === 1 ? chunk : Buffer.concat(chunks)
      const length = head.readUInt32BE(1)
      wanted = headBytes + length
      if (length > maxMessageBytes) fail(tooLarge(length))
      else if ((head[0]! & 1) === 1) fail(compressed())
      else if (size > wanted) fail(count('received extra'))
    }
    const onEnd = () => {
      if (size === 0) return fail(count('missing'))
      if (size < wanted) return fail(cutOff())
      stop()
      const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)
      resolve(bytes.subarray(headBytes))
    }
    call.onAbort = fail
    stream.on('data', onData)
    stream.on('end', onEnd)
  })
}

function tooLarge(length: number): ConnectError {
  const text = `message size ${length} is larger than the ${maxMessageBytes} bytes allowed`
  return new ConnectError(text, Code.ResourceExhausted)
}

function compressed(): ConnectError {
  return new ConnectError('protocol error: compressed message without an encoding', Code.Internal)
}

function count(what: string): ConnectError {
  return new ConnectError(`protocol error: ${what} input message`, Code.Unimplemented)
}

function cutOff(): ConnectError {
  return new ConnectError('protocol error: incomplete message', Code.InvalidArgument)
}
