import { constants, type ServerHttp2Stream } from 'node:http2'
import type { ConnectError } from '@connectrpc/connect'
import { setTrailerStatus } from '@connectrpc/connect/protocol-grpc'
import { NsboxError } from '@nsbox/errors'
import type { HeldBytes } from '../byte-quota.ts'
import { resetUnlessComplete } from '../early-answer.ts'
import type { EncodedMessage } from './encoded-message.ts'
import type { GrpcCall } from './grpc-call.ts'

const headBytes = 5

const ok = { 'grpc-status': '0' }

/** The answer to a call, message by message. */
export class GrpcAnswer {
  readonly #stream: ServerHttp2Stream
  readonly #call: GrpcCall
  #trailers: Record<string, string> = ok
  #begun = false
  #space: HeldBytes | undefined
  #reserved = 0

  constructor(stream: ServerHttp2Stream, call: GrpcCall) {
    this.#stream = stream
    this.#call = call
  }

  /**
   * Waits for memory for the answer, which is held until the client has read all, or disconnected.
   * @throws the reason if the call is aborted
   */
  async reserve(bytes: number): Promise<void> {
    if (bytes <= this.#reserved) return
    if (this.#space === undefined) {
      const { connection, budgets, signal } = this.#call
      const space = await budgets.answers.wait(connection, bytes, (reason) => this.#cutOff(reason), signal)
      this.#space = space
      this.#stream.once('close', () => space[Symbol.dispose]())
      if (this.#stream.destroyed) space[Symbol.dispose]()
    } else this.#space.grow(bytes - this.#reserved)
    this.#reserved = bytes
  }

  /**
   * Sends a message; resolves once the client takes more.
   * @throws `canceled` if the client has disconnected, `resource_exhausted` if it has too much unread already
   */
  async write(message: EncodedMessage): Promise<void> {
    if (!this.#begin()) throw gone()
    this.#space?.touch()
    if (this.#put(message)) return
    using _waiting = this.#space === undefined ? this.#waiting(message.length) : undefined
    await new Promise<void>((resolve, reject) => {
      const settle = (action: () => void) => {
        this.#stream.off('drain', onDrain)
        this.#stream.off('close', onClose)
        action()
      }
      const onDrain = () => settle(resolve)
      const onClose = () => settle(() => reject(gone()))
      this.#stream.on('drain', onDrain)
      this.#stream.on('close', onClose)
    })
  }

  /** Counts unread bytes of an answer that was not expected to be large. */
  #waiting(bytes: number): HeldBytes {
    const { connection, budgets } = this.#call
    try {
      return budgets.answers.take(connection, bytes, (reason) => this.#cutOff(reason))
    } catch (error) {
      this.#cutOff(error)
      throw error
    }
  }

  /** Ends it at once; unread bytes are lost. */
  #cutOff(reason: unknown): void {
    this.#call.abort(reason)
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }

  /** Ends it successfully, after a last message if one is given. */
  end(message?: EncodedMessage): void {
    if (!this.#begin()) return
    for (const [name, value] of this.#call.responseTrailer)
      this.#trailers = { ...this.#trailers, [name]: value }
    if (message === undefined) this.#stream.end()
    else if (message.rest === undefined) this.#stream.end(framed(message))
    else {
      this.#put(message)
      this.#stream.end()
    }
  }

  /** Ends it with an error. */
  fail(error: ConnectError): void {
    if (!this.#begin()) return
    this.#trailers = Object.fromEntries(setTrailerStatus(this.#call.responseTrailer, error))
    this.#stream.end()
  }

  /** @returns whether the client is still connected */
  #begin(): boolean {
    const stream = this.#stream
    if (stream.destroyed || stream.closed) return false
    if (this.#begun) return true
    this.#begun = true
    stream.on('wantTrailers', () => {
      stream.sendTrailers(this.#trailers)
      resetUnlessComplete(stream)
    })
    const headers: Record<string, string | number> = {
      ':status': 200,
      'content-type': 'application/grpc+proto',
    }
    for (const [name, value] of this.#call.responseHeader) headers[name] = value
    stream.respond(headers, { waitForTrailers: true })
    return true
  }

  /** @returns whether the client takes more at once */
  #put(message: EncodedMessage): boolean {
    const stream = this.#stream
    if (message.rest === undefined) return stream.write(framed(message))
    stream.cork()
    stream.write(framed(message))
    const takesMore = stream.write(message.rest)
    stream.uncork()
    return takesMore
  }
}

/** The message's head, and its start, which is all of most messages. */
function framed({ length, start }: EncodedMessage): Buffer {
  const frame = Buffer.allocUnsafe(headBytes + start.length)
  frame[0] = 0
  frame.writeUInt32BE(length, 1)
  frame.set(start, headBytes)
  return frame
}

function gone(): NsboxError {
  return new NsboxError('canceled', 'the client went away')
}
