import { onAbort } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import type { MessageStream } from './message-stream.ts'

/** How many streams of one owner may wait to be used. */
const maxUnclaimed = 1024

/** Characters of an id; clients take random ones of about thirty. */
const maxId = 1024

/** How long a stream may wait to be used, in milliseconds, by default. */
const patience = 60_000

/** Streams that clients have opened for a later call, by owner and id. */
export class StreamRegistry {
  readonly #patience: number
  readonly #waiting = new Map<string, Map<string, MessageStream>>()

  constructor({ patience: ms = patience }: { patience?: number } = {}) {
    this.#patience = ms
  }

  /**
   * Offers a stream under an id until a call claims it or it closes. After a time-out it is closed.
   *
   * @throws `invalid_argument` for an id that is empty or has more than 1024 characters, `already_exists`,
   * `resource_exhausted`
   */
  offer(owner: string, id: string, stream: MessageStream): void {
    if (id === '') throw new NsboxError('invalid_argument', 'stream id must not be empty')
    if (id.length > maxId) {
      throw new NsboxError(
        'invalid_argument',
        `stream id of ${id.length} characters, at most ${maxId} are allowed`,
      )
    }
    const streams = this.#waiting.get(owner) ?? new Map<string, MessageStream>()
    if (streams.has(id)) throw new NsboxError('already_exists', `stream ${JSON.stringify(id)}`)
    if (streams.size >= maxUnclaimed) {
      throw new NsboxError('resource_exhausted', `${maxUnclaimed} streams wait to be used`)
    }
    this.#waiting.set(owner, streams.set(id, stream))
    const timer = setTimeout(() => {
      if (this.#take(owner, id, stream)) {
        stream.fail(new NsboxError('deadline_exceeded', `stream ${JSON.stringify(id)} was not used in time`))
      }
    }, this.#patience)
    onAbort(stream.closed, () => {
      clearTimeout(timer)
      this.#take(owner, id, stream)
    })
  }

  /**
   * Claims a stream, which can be done once.
   * @throws `not_found`
   */
  claim(owner: string, id: string, { signal }: AbortOptions = {}): MessageStream {
    signal?.throwIfAborted()
    const stream = this.#waiting.get(owner)?.get(id)
    if (stream === undefined || !this.#take(owner, id, stream)) {
      throw new NsboxError('not_found', `stream ${JSON.stringify(id)}`)
    }
    return stream
  }

  #take(owner: string, id: string, stream: MessageStream): boolean {
    const streams = this.#waiting.get(owner)
    if (streams?.get(id) !== stream) return false
    streams.delete(id)
    if (streams.size === 0) this.#waiting.delete(owner)
    return true
  }
}
