import type { Labels } from '../labels/labels.ts'

/** The events that nsbox itself publishes: topic → payload (BEHAVIOUR.md §8). */
export interface EventPayloads {
  '/namespaces/create': { name: string; labels: Labels }
  '/namespaces/update': { name: string; labels: Labels }
  '/namespaces/delete': { name: string }
  '/content/create': { digest: string; size: number }
  '/content/delete': { digest: string }
  '/images/create': { name: string; labels: Labels }
  '/images/update': { name: string; labels: Labels }
  '/images/delete': { name: string }
  /** `parent` is empty for none. */
  '/snapshot/prepare': { key: string; parent: string; snapshotter: string }
  '/snapshot/commit': { key: string; name: string; snapshotter: string }
  '/snapshot/remove': { key: string; snapshotter: string }
}

export type EventTopic = keyof EventPayloads

/** Something that happened, as the domains tell it. */
export type DomainEvent = { [T in EventTopic]: { topic: T; payload: EventPayloads[T] } }[EventTopic]

/** An event of a type that nsbox does not know: what a client published, kept verbatim. */
export interface OpaqueEvent {
  topic: string
  opaque: { typeUrl: string; value: Uint8Array }
}

export type Event = DomainEvent | OpaqueEvent

/** An event with its time and place. */
export interface Envelope {
  readonly timestamp: Date
  readonly namespace: string
  readonly event: Event
}
