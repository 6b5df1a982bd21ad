import type { Any } from '@bufbuild/protobuf/wkt'
import { packEventPayload, unpackEventPayload } from '@nsbox/api/event-payload'
import type { DomainEvent, Event } from '@nsbox/core/events'

/** The payload of an event for a request. */
export function eventMessage(event: Event): Pick<Any, 'typeUrl' | 'value'> {
  return 'opaque' in event ? event.opaque : packEventPayload(event.topic, event.payload)
}

/** An event from a response: typed if nsbox knows the topic and the payload is of its type, verbatim otherwise. */
export function receivedEvent(topic: string, { typeUrl, value }: Pick<Any, 'typeUrl' | 'value'>): Event {
  const payload = unpackEventPayload(topic, { typeUrl, value })
  return payload === undefined ? { topic, opaque: { typeUrl, value } } : ({ topic, payload } as DomainEvent)
}
