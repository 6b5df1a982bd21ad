import { onAbort } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import { Call } from './call.ts'
import { Outbox } from './outbox.ts'
import type { Session } from './session.ts'

type Start<I, O> = (signal: AbortSignal, requests: AsyncIterable<I>) => Promise<AsyncIterable<O>>

/** A stream of requests and responses, open from the start. Disposing of it resets it unless it has ended. */
export class Duplex<I, O> implements Disposable {
  readonly #call: Call
  readonly #outbox = new Outbox<I>()
  readonly #responses: Promise<AsyncIterator<O>>
  #canceledBy: AbortSignal | undefined

  constructor(session: Session, start: Start<I, O>) {
    this.#call = new Call(session, {})
    this.#responses = start(this.#call.signal, this.#outbox).then((responses) =>
      responses[Symbol.asyncIterator](),
    )
    // `receive` throws it; a stream without a reader must not end the process.
    this.#responses.catch(() => this.#outbox.discard())
  }

  /** Hands a request to the transport; resolves once it was taken, or once the stream has ended. */
  async send(request: I): Promise<void> {
    await this.#outbox.put(request)
  }

  /** Ends the requests. */
  end(): void {
    this.#outbox.end()
  }

  /**
   * The next response; undefined at the end. An abort resets the stream.
   * @throws the server's error
   */
  async receive({ signal }: AbortOptions = {}): Promise<O | undefined> {
    using _ = onAbort(signal, () => {
      this.#canceledBy = signal
      this[Symbol.dispose]()
    })
    try {
      const next = await (await this.#responses).next()
      if (!next.done) return next.value
      this[Symbol.dispose]()
      return undefined
    } catch (error) {
      this[Symbol.dispose]()
      throw this.#canceledBy ? this.#canceledBy.reason : this.#call.reasonOf(error)
    }
  }

  /** Sends a request and gets its response. @throws the server's error; `data_loss` if the stream ended instead */
  async exchange(request: I, options: AbortOptions = {}): Promise<O> {
    const [, response] = await Promise.all([this.send(request), this.receive(options)])
    if (response === undefined)
      throw new NsboxError('data_loss', 'the server ended the stream without an answer')
    return response
  }

  [Symbol.dispose](): void {
    this.#call[Symbol.dispose]()
    this.#outbox.discard()
  }
}
