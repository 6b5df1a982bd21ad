import { onAbort } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import type { Envelope, Event, EventPublisher, EventSubscriber } from '@nsbox/core/events'
import { NsboxError } from '@nsbox/errors'
import { type Filter, parseFilters } from '@nsbox/filters'
import { requireNamespace } from '@nsbox/namespaces'
import { systemClock } from '@nsbox/time'
import { BoundedQueue, type QueueLimits } from '../queue/bounded-queue.ts'
import { eventAdaptor, type OpaqueFields } from './event-adaptor.ts'
import { eventBytes } from './event-bytes.ts'
import { validateTopic } from './event-topic.ts'

/** Options of an exchange. */
export interface EventExchangeOptions {
  /** Reads fields of events that clients published, for filters. */
  readonly opaqueFields: OpaqueFields
  /** How far a subscriber may lag behind; 16384 events or 8 MiB of them by default. */
  readonly limits?: QueueLimits
  /** The most bytes of events that wait, for all subscribers together; 32 MiB by default. */
  readonly maxBytes?: number
}

/** Milliseconds for which events from before the start are kept. */
const missedFor = 30_000

/** Options of a subscription. */
export interface SubscribeOptions extends AbortOptions {
  /** Whether the subscriber gets the events of a namespace; those of all by default. */
  readonly sees?: ((namespace: string) => boolean) | undefined
}

/** A waiting event, which is in memory once for all subscribers. */
interface Waiting {
  readonly envelope: Envelope
  readonly bytes: number
  subscribers: number
}

interface Subscriber {
  readonly sees: (namespace: string) => boolean
  readonly filter: Filter
  readonly queue: BoundedQueue<Waiting>
}

/**
 * Passes events from publishers to subscribers, in one order for all. Publishing never waits for a subscriber. One that
 * falls behind by more than the limit is ended with an error, so that it knows of the gap (docs/threat-model.md D16);
 * so is the slowest one if too much waits for all of them. Each event is later than the one before, whatever the clock
 * does (D22).
 */
export class EventExchange implements EventPublisher, EventSubscriber {
  readonly #opaqueFields: OpaqueFields
  readonly #limits: QueueLimits
  readonly #maxBytes: number
  readonly #subscribers = new Set<Subscriber>()
  /** Events from before the start, for early subscribers. */
  readonly #missed: Envelope[] = []
  #missedUntil = 0
  #closed = false
  #waitingBytes = 0

  constructor({
    opaqueFields,
    limits = { items: 16_384, bytes: 8 << 20 },
    maxBytes = 32 << 20,
  }: EventExchangeOptions) {
    this.#opaqueFields = opaqueFields
    this.#limits = limits
    this.#maxBytes = maxBytes
  }

  /** How many bytes of events wait for subscribers. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Whether there is a subscriber. */
  get isHeard(): boolean {
    return this.#subscribers.size > 0
  }

  /** Publishes an event of the domains, which must be on disk. */
  announce(namespace: string, event: Event): void {
    this.#give({ timestamp: systemClock.stamp(), namespace, event })
  }

  /**
   * Publishes an event from before the start, such as the end of a task during a restart. A subscriber of the first
   * half minute gets it first.
   */
  announceMissed(namespace: string, event: Event): void {
    this.#missedUntil = performance.now() + missedFor
    if (this.#missed.length < this.#limits.items)
      this.#missed.push({ timestamp: systemClock.stamp(), namespace, event })
  }

  async publish(namespace: string, event: Event, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    requireNamespace(namespace)
    validateTopic(event.topic)
    this.announce(namespace, event)
  }

  /**
   * Publishes an event of another server, with its own time.
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
    const queue = new BoundedQueue<Waiting>(
      this.#limits,
      ({ bytes }) => bytes,
      (waiting) => this.#gone(waiting),
    )
    const subscriber: Subscriber = { sees, filter, queue }
    for (const envelope of this.#takeMissed()) {
      if (sees(envelope.namespace) && filter.match(eventAdaptor(envelope, this.#opaqueFields)))
        this.#push(subscriber, waitingOf(envelope))
    }
    using _aborting = onAbort(signal, () => queue.fail(signal?.reason))
    this.#subscribers.add(subscriber)
    try {
      for await (const { envelope } of queue) yield envelope
    } finally {
      this.#subscribers.delete(subscriber)
      queue.drop()
    }
  }

  /** Ends every subscription with `unavailable`; later ones are refused. */
  close(): void {
    this.#closed = true
    for (const { queue } of this.#subscribers) queue.fail(closing())
  }

  #takeMissed(): readonly Envelope[] {
    if (performance.now() > this.#missedUntil) this.#missed.length = 0
    return this.#missed
  }

  #give(envelope: Envelope): void {
    const adaptor = eventAdaptor(envelope, this.#opaqueFields)
    let waiting: Waiting | undefined
    for (const subscriber of this.#subscribers) {
      if (!subscriber.sees(envelope.namespace) || !subscriber.filter.match(adaptor)) continue
      waiting ??= waitingOf(envelope)
      this.#push(subscriber, waiting)
    }
  }

  #push({ queue }: Subscriber, waiting: Waiting): void {
    if (!queue.push(waiting)) {
      queue.fail(overflow(this.#limits))
      return
    }
    waiting.subscribers++
    if (waiting.subscribers === 1) this.#waitingBytes += waiting.bytes
    while (this.#waitingBytes > this.#maxBytes && this.#cutOffSlowest());
  }

  #gone(waiting: Waiting): void {
    waiting.subscribers--
    if (waiting.subscribers === 0) this.#waitingBytes -= waiting.bytes
  }

  /** @returns whether a subscriber was cut off */
  #cutOffSlowest(): boolean {
    let slowest: BoundedQueue<Waiting> | undefined
    for (const { queue } of this.#subscribers) if (queue.bytes > (slowest?.bytes ?? 0)) slowest = queue
    slowest?.fail(overflow(this.#limits))
    return slowest !== undefined
  }
}

function waitingOf(envelope: Envelope): Waiting {
  return { envelope, bytes: eventBytes(envelope), subscribers: 0 }
}

function overflow({ items, bytes }: QueueLimits): NsboxError {
  return new NsboxError(
    'resource_exhausted',
    `subscriber fell behind by more than ${items} events or ${bytes} bytes, or by more than all others; some ` +
      'are missing',
  )
}

function closing(): NsboxError {
  return new NsboxError('unavailable', 'the server is shutting down')
}
