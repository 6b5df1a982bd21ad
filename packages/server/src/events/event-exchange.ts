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
  /** Reads fields of events that clients published, for filters. */
  readonly opaqueField: OpaqueField
  /** Events that a subscriber may lag behind; 16384 by default. */
  readonly limit?: number
}

/** Milliseconds. */
const missedFor = 30_000

/** What a subscriber gets. */
export interface SubscribeOptions extends AbortOptions {
  /** Whether it gets to know of a namespace at all; of every one by default. */
  readonly sees?: ((namespace: string) => boolean) | undefined
}

interface Subscriber {
  readonly sees: (namespace: string) => boolean
  readonly filter: Filter
  readonly queue: BoundedQueue<Envelope>
}

/**
 * Passes events from those who publish to those who subscribe, in one order for all. Nothing here waits for a
 * subscriber: one that falls behind by more than the limit is cut off with an error, so that it knows that it has
 * missed something (HOSTILE D16). Timestamps never go backwards, whatever the clock does (D22).
 */
export class EventExchange implements EventPublisher, EventSubscriber {
  readonly #opaqueField: OpaqueField
  readonly #limit: number
  readonly #subscribers = new Set<Subscriber>()
  /** What happened before anybody could subscribe, for those who come soon. */
  readonly #missed: Envelope[] = []
  #missedUntil = 0
  #closed = false
  #lastTime = 0

  constructor({ opaqueField, limit = 16_384 }: EventExchangeOptions) {
    this.#opaqueField = opaqueField
    this.#limit = limit
  }

  /** Whether there is a subscriber. */
  get isHeard(): boolean {
    return this.#subscribers.size > 0
  }

  /** Passes on an event of the domains, which is well formed. What it tells of is on disk already. */
  announce(namespace: string, event: Event): void {
    this.#lastTime = Math.max(this.#lastTime, Date.now())
    this.#give({ timestamp: new Date(this.#lastTime), namespace, event })
  }

  /**
   * Passes on what has happened while this exchange was not there, such as the end of a task during a restart: whoever
   * subscribes within half a minute gets it first, as it would have without the interruption.
   */
  announceMissed(namespace: string, event: Event): void {
    this.#missedUntil = Date.now() + missedFor
    if (this.#missed.length < this.#limit) this.#missed.push({ timestamp: new Date(), namespace, event })
  }

  async publish(namespace: string, event: Event, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    requireNamespace(namespace)
    validateTopic(event.topic)
    this.announce(namespace, event)
  }

  /**
   * Passes on an event that happened elsewhere, with its own time.
   * @throws `invalid_argument`, `failed_precondition` for a missing namespace
   */
  async forward(envelope: Envelope, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    requireNamespace(envelope.namespace)
    validateTopic(envelope.event.topic)
    this.#give(envelope)
  }

  async *subscribe(
    filters: readonly string[] = [],
    { sees = () => true, signal }: SubscribeOptions = {},
  ): AsyncGenerator<Envelope> {
    const filter = parseFilters(filters)
    signal?.throwIfAborted()
    if (this.#closed) throw closing()
    const subscriber: Subscriber = { sees, filter, queue: new BoundedQueue(this.#limit) }
    for (const envelope of this.#takeMissed()) {
      if (sees(envelope.namespace) && filter.match(eventAdaptor(envelope, this.#opaqueField)))
        subscriber.queue.push(envelope)
    }
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
    for (const { queue } of this.#subscribers) queue.fail(closing())
  }

  #takeMissed(): readonly Envelope[] {
    if (Date.now() > this.#missedUntil) this.#missed.length = 0
    return this.#missed
  }

  #give(envelope: Envelope): void {
    const adaptor = eventAdaptor(envelope, this.#opaqueField)
    for (const { sees, filter, queue } of this.#subscribers) {
      if (sees(envelope.namespace) && filter.match(adaptor) && !queue.push(envelope))
        queue.fail(overflow(this.#limit))
    }
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
