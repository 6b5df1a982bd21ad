import { abortable, deferred } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import { BoundedQueue } from '../queue/bounded-queue.ts'

/** A message of any type, packed. */
export interface PackedMessage {
  readonly typeUrl: string
  readonly value: Uint8Array
}

/** Limits of unread messages. */
const limits = { items: 1024, bytes: 4 << 20 }

/**
 * A stream of messages between a client and the call that uses it. `incoming` and `outgoing` are for the client's side,
 * everything else for the call's.
 */
export class MessageStream {
  readonly #incoming: AsyncIterator<PackedMessage>
  readonly #outgoing = new BoundedQueue<PackedMessage>(limits, ({ value }) => value.length)
  readonly #closed = new AbortController()
  readonly #passedOn = deferred()

  /** @param incoming what the client sends */
  constructor(incoming: AsyncIterator<PackedMessage>) {
    this.#incoming = incoming
  }

  /** The messages to the client, until the stream is closed. */
  get outgoing(): AsyncIterable<PackedMessage> {
    return this.#outgoing
  }

  /** Aborted once the stream has ended, from either side. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** How many messages the client has not read yet. */
  get pending(): number {
    return this.#outgoing.size
  }

  /**
   * Sends a message.
   * @throws `unavailable` if the stream has ended, `resource_exhausted` if the client does not read
   */
  send(message: PackedMessage): void {
    if (this.closed.aborted) throw new NsboxError('unavailable', 'the stream is closed')
    if (!this.#outgoing.push(message)) {
      throw new NsboxError(
        'resource_exhausted',
        `${this.#outgoing.size} messages of ${this.#outgoing.bytes} bytes wait for the client to take them`,
      )
    }
  }

  /**
   * The client's next message; undefined if it sends no more.
   * @throws the signal's reason; `unavailable` if the stream has ended
   */
  async receive({ signal }: AbortOptions = {}): Promise<PackedMessage | undefined> {
    const either = signal === undefined ? this.closed : AbortSignal.any([signal, this.closed])
    const { value, done } = await abortable(this.#incoming.next(), { signal: either })
    return done === true ? undefined : value
  }

  /** Called by the client's side when all messages have been passed on, or none can be any more. */
  end(): void {
    this.close()
    this.#passedOn.resolve()
  }

  /** Ends the stream after the sent messages, and waits until they have been passed on, for a second at most. */
  async finish(): Promise<void> {
    this.close()
    const timer = setTimeout(() => this.#passedOn.resolve(), 1000)
    await this.#passedOn.promise
    clearTimeout(timer)
  }

  /** Ends the stream after the sent messages. */
  close(): void {
    this.#outgoing.close()
    this.#closed.abort(new NsboxError('unavailable', 'the stream is closed'))
  }

  /** Ends the stream with an error for the client. */
  fail(error: unknown): void {
    this.#outgoing.fail(error)
    this.#closed.abort(new NsboxError('unavailable', 'the stream is closed', { cause: error }))
  }
}
