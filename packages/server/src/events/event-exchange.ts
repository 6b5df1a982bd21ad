import type { AbortOptions } from '@nsbox/core/content'
import type { Envelope, Event, EventPublisher, EventSubscriber } from '@nsbox/core/events'
import { NsboxError } from '@nsbox/errors'
import { type Filter, parseFilters } from '@nsbox/filters'
import { requireNamespace } from '@nsbox/namespaces'
import { BoundedQueue } from '../queue/bounded-queue.ts'
import { eventAdaptor, type OpaqueField } from './event-adaptor.ts'
import { validateTopic } from './event-topic.ts'

/** What an exchange is made of. */
export interface EventExchangeOptions {
  /** Resolves once everything committed so far is on disk; no event is given out before. */
  readonly durable: () => Promise<void>
  /** Reads fields of events that clients published, for filters. */
  readonly opaqueField: OpaqueField
  /** Events that a subscriber may lag behind, and that may wait for the disk; 16384 by default. */
  readonly limit?: number
}

interface Subscriber {
  readonly filter: Filter
  readonly queue: BoundedQueue<Envelope>
}

/**
 * Passes events from those who publish to those who subscribe, in one order for all. Nothing here waits for a
 * subscriber: one that falls behind by more than the limit is cut off with an error, so that it knows that it has
 * missed something (HOSTILE D16). Timestamps never go backwards, whatever the clock does (D22).
 */
export class EventExchange implements EventPublisher, EventSubscriber {
  readonly #durable: () => Promise<void>
  readonly #opaqueField: OpaqueField
  readonly #limit: number
  readonly #subscribers = new Set<Subscriber>()
  #waiting: Envelope[] = []
  #delivering = false
  #closed = false
  #lastTime = 0

  constructor({ durable, opaqueField, limit = 16_384 }: EventExchangeOptions) {
    this.#durable = durable
    this.#opaqueField = opaqueField
    this.#limit = limit
  }

  /** Takes in an event of the domains, which is well formed, at the moment of its commit. */
  announce(namespace: string, event: Event): void {
    this.#lastTime = Math.max(this.#lastTime, Date.now())
    this.#take({ timestamp: new Date(this.#lastTime), namespace, event })
  }

  async publish(namespace: string, event: Event, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    requireNamespace(namespace)
    validateTopic(event.topic)
    this.announce(namespace, event)
  }

  /**
   * Takes in an event that happened elsewhere, with its own time.
   * @throws `invalid_argument`, `failed_precondition` for a missing namespace
   */
  async forward(envelope: Envelope, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    requireNamespace(envelope.namespace)
    validateTopic(envelope.event.topic)
    this.#take(envelope)
  }

  async *subscribe(filters: readonly string[] = [], { signal }: AbortOptions = {}): AsyncGenerator<Envelope> {
    const filter = parseFilters(filters)
    signal?.throwIfAborted()
    if (this.#closed) throw closing()
    const subscriber: Subscriber = { filter, queue: new BoundedQueue(this.#limit) }
    const onAbort = () => subscriber.queue.fail(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#subscribers.add(subscriber)
    try {
      yield* subscriber.queue
    } finally {
      this.#subscribers.delete(subscriber)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Ends every subscription with `unavailable`; later ones are refused. */
  close(): void {
    this.#closed = true
    this.#failAll(closing())
  }

  #take(envelope: Envelope): void {
    if (this.#subscribers.size === 0) return
    if (this.#waiting.length >= this.#limit) {
      this.#waiting = []
      this.#failAll(overflow(this.#limit))
      return
    }
    this.#waiting.push(envelope)
    if (!this.#delivering) void this.#deliver()
  }

  async #deliver(): Promise<void> {
    this.#delivering = true
    try {
      while (this.#waiting.length > 0) {
        const count = this.#waiting.length
        await this.#durable()
        for (const envelope of this.#waiting.splice(0, count)) this.#give(envelope)
      }
    } catch (error) {
      this.#waiting = []
      this.#failAll(error)
    } finally {
      this.#delivering = false
    }
  }

  #give(envelope: Envelope): void {
    const adaptor = eventAdaptor(envelope, this.#opaqueField)
    for (const { filter, queue } of this.#subscribers) {
      if (filter.match(adaptor) && !queue.push(envelope)) queue.fail(overflow(this.#limit))
    }
  }

  #failAll(error: unknown): void {
    for (const { queue } of this.#subscribers) queue.fail(error)
  }
}

function overflow(limit: number): NsboxError {
  return new NsboxError(
    'resource_exhausted',
    `subscriber fell behind by more than ${limit} events; some are missing`,
  )
}

function closing(): NsboxError {
  return new NsboxError('unavailable', 'the server is shutting down')
}
