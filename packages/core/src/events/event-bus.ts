import type { AbortOptions } from '@nsbox/concurrency'
import type { Envelope, Event } from './event.ts'

/** Publishes events. */
export interface EventPublisher {
  /**
   * Publishes an event in a namespace; subscribers get it once everything that it tells of is durable, in the order
   * of publication.
   * @throws `invalid_argument` for a malformed topic (`/` and at least one component) or namespace
   */
  publish(namespace: string, event: Event, options?: AbortOptions): Promise<void>
}

/** Subscribes to events. */
export interface EventSubscriber {
  /**
   * The events of all namespaces from now on that match any of the filters (fields `topic`, `namespace`, `event.*`);
   * all of them if there is no filter. Ends with the signal or when the iteration ends. A subscriber that falls
   * behind by more than its bounded queue ends with `resource_exhausted`, so that a gap is never silent.
   * @throws `invalid_argument` for a filter that does not parse
   */
  subscribe(filters?: readonly string[], options?: AbortOptions): AsyncIterable<Envelope>
}
