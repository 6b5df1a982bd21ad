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
    const bytes = new GrowingBytes()
    let wanted = headBytes
    const fail = (error: unknown) => {
      stream.off('data', onData)
      stream.off('end', onEnd)
      call.onAbort = undefined
      // What the client goes on to send is nobody's, and must not fill its window.
      stream.resume()
      reject(error)
    }
    const onData = (chunk: Buffer) => {
      bytes.add(chunk)
      const { written } = bytes
      if (written.length < headBytes) return
      const length = written.readUInt32BE(1)
      wanted = headBytes + length
      if (length > maxMessageBytes) fail(tooLarge(length))
      else if ((written[0]! & 1) === 1) fail(compressed())
      else if (written.length > wanted) fail(count('received extra'))
    }
    const onEnd = () => {
      const { written } = bytes
      if (written.length === 0) return fail(count('missing'))
      if (written.length < wanted) return fail(cutOff())
      // No more can come, so the listeners may stay.
      call.onAbort = undefined
      resolve(written.subarray(headBytes))
    }
    call.onAbort = fail
    stream.on('data', onData)
    stream.on('end', onEnd)
  })
}

/** Bytes that come in pieces, of which most often there is one. However small they are, they take no more memory. */
class GrowingBytes {
  #space: Buffer = Buffer.alloc(0)
  #size = 0

  get written(): Buffer {
    return this.#space.subarray(0, this.#size)
  }

  add(piece: Buffer): void {
    const size = this.#size + piece.length
    if (this.#size === 0) this.#space = piece
    else {
      if (size > this.#space.length) {
        // Twice as many, so that each is copied a few times at most.
        const larger = Buffer.allocUnsafe(Math.max(size, 2 * this.#space.length))
        larger.set(this.written)
        this.#space = larger
      }
      this.#space.set(piece, this.#size)
    }
    this.#size = size
  }
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
