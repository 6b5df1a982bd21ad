import { toTimestamp } from '@nsbox/api'
import { Events } from '@nsbox/api/gen/services/events/v1/events_pb'
import type { AbortOptions } from '@nsbox/core/content'
import type { Envelope, Event, EventPublisher, EventSubscriber } from '@nsbox/core/events'
import { received, receivedTime } from '../connection/received.ts'
import type { Rpc } from '../connection/rpc.ts'
import { eventMessage, receivedEvent } from '../messages/event-message.ts'

/** The events of a server, of all its namespaces. */
export class RemoteEvents implements EventPublisher, EventSubscriber {
  readonly #rpc: Rpc

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  async publish(namespace: string, event: Event, options: AbortOptions = {}): Promise<void> {
    const request = { topic: event.topic, event: eventMessage(event) }
    await this.#rpc.bind({ namespace }).unary(Events.method.publish, request, options)
  }

  /** Publishes an event of another server, with its time and namespace. Errors as for `publish`. */
  async forward({ timestamp, namespace, event }: Envelope, options: AbortOptions = {}): Promise<void> {
    const envelope = {
      timestamp: toTimestamp(timestamp),
      namespace,
      topic: event.topic,
      event: eventMessage(event),
    }
    await this.#rpc.unary(Events.method.forward, { envelope }, options)
  }

  async *subscribe(filters: readonly string[] = [], options: AbortOptions = {}): AsyncGenerator<Envelope> {
    const request = { filters: [...filters] }
    for await (const envelope of this.#rpc.serverStream(Events.method.subscribe, request, options)) {
      yield {
        timestamp: receivedTime(envelope.timestamp, 'envelope.timestamp'),
        namespace: envelope.namespace,
        event: receivedEvent(envelope.topic, received(envelope.event, 'the payload of an event')),
      }
    }
  }
}
