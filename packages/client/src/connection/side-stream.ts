import { randomBytes } from 'node:crypto'
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Any, AnySchema } from '@bufbuild/protobuf/wkt'
import { type MessageChannel, packAny } from '@nsbox/api'
import { StreamInitSchema, Streaming } from '@nsbox/api/gen/services/streaming/v1/streaming_pb'
import type { AbortOptions } from '@nsbox/core/content'
import type { Duplex } from './duplex.ts'
import type { Rpc } from './rpc.ts'

/**
 * A stream beside a call, made before it and named in its request by `id`. It carries progress, questions for
 * credentials or an archive. It must be disposed of.
 */
export class SideStream implements Disposable, MessageChannel {
  readonly id: string
  readonly #stream: Duplex<MessageInitShape<typeof AnySchema>, Any>

  private constructor(id: string, stream: Duplex<MessageInitShape<typeof AnySchema>, Any>) {
    this.id = id
    this.#stream = stream
  }

  /** Opens a stream, and waits until the server knows its id. */
  static async open(rpc: Rpc, purpose: string, options: AbortOptions): Promise<SideStream> {
    const id = `${purpose}-${randomBytes(9).toString('base64url')}`
    const stream = rpc.duplex(Streaming.method.stream)
    try {
      await stream.exchange(packAny(StreamInitSchema, { id }), options)
      return new SideStream(id, stream)
    } catch (error) {
      stream[Symbol.dispose]()
      throw error
    }
  }

  async send(message: Any): Promise<void> {
    await this.#stream.send(message)
  }

  /** Ends the messages to the server. */
  end(): void {
    this.#stream.end()
  }

  /** The server's next message; undefined once it has ended the stream. */
  async receive(options: AbortOptions = {}): Promise<Any | undefined> {
    return await this.#stream.receive(options)
  }

  /** What the server sends, until it ends the stream. */
  async *messages(options: AbortOptions = {}): AsyncGenerator<Any, void, undefined> {
    for (let message = await this.receive(options); message !== undefined; ) {
      yield message
      message = await this.receive(options)
    }
  }

  [Symbol.dispose](): void {
    this.#stream[Symbol.dispose]()
  }
}
