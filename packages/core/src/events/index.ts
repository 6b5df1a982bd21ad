export type { DomainEvent, Envelope, Event, EventPayloads, EventTopic, OpaqueEvent } from './event.ts'
export type { EventPublisher, EventSubscriber } from './event-bus.ts'
