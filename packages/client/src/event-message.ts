import { isMessage, type Message } from '@bufbuild/protobuf'
import type { Any } from '@bufbuild/protobuf/wkt'
import { packAny, toBigInt, toSafeNumber, unpackKnownAny } from '@nsbox/api'
import { ContentCreateSchema, ContentDeleteSchema } from '@nsbox/api/gen/events/content_pb'
import { ImageCreateSchema, ImageDeleteSchema, ImageUpdateSchema } from '@nsbox/api/gen/events/image_pb'
import {
  NamespaceCreateSchema,
  NamespaceDeleteSchema,
  NamespaceUpdateSchema,
} from '@nsbox/api/gen/events/namespace_pb'
import {
  SnapshotCommitSchema,
  SnapshotPrepareSchema,
  SnapshotRemoveSchema,
} from '@nsbox/api/gen/events/snapshot_pb'
import type { DomainEvent, Event } from '@nsbox/core/events'
import { containerEventMessage, receivedContainerEvent } from './container-event-message.ts'
import { receivedLabels } from './received.ts'
import { receivedTaskEvent, taskEventMessage } from './task-event-message.ts'

/** The payload of an event for a request. */
export function eventMessage(event: Event): Pick<Any, 'typeUrl' | 'value'> {
  if ('opaque' in event) return event.opaque
  switch (event.topic) {
    case '/namespaces/create':
      return packAny(NamespaceCreateSchema, event.payload)
    case '/namespaces/update':
      return packAny(NamespaceUpdateSchema, event.payload)
    case '/namespaces/delete':
      return packAny(NamespaceDeleteSchema, event.payload)
    case '/content/create':
      return packAny(ContentCreateSchema, {
        digest: event.payload.digest,
        size: toBigInt(event.payload.size, 'size'),
      })
    case '/content/delete':
      return packAny(ContentDeleteSchema, event.payload)
    case '/images/create':
      return packAny(ImageCreateSchema, event.payload)
    case '/images/update':
      return packAny(ImageUpdateSchema, event.payload)
    case '/images/delete':
      return packAny(ImageDeleteSchema, event.payload)
    case '/snapshot/prepare':
      return packAny(SnapshotPrepareSchema, event.payload)
    case '/snapshot/commit':
      return packAny(SnapshotCommitSchema, event.payload)
    case '/snapshot/remove':
      return packAny(SnapshotRemoveSchema, event.payload)
    case '/containers/create':
    case '/containers/update':
    case '/containers/delete':
      return containerEventMessage(event)
    default:
      return taskEventMessage(event)
  }
}

/** An event from a response: typed if nsbox knows the topic and the payload is of its type, verbatim otherwise. */
export function receivedEvent(topic: string, payload: Pick<Any, 'typeUrl' | 'value'>): Event {
  return (
    typed(topic, unpackKnownAny(payload)) ?? {
      topic,
      opaque: { typeUrl: payload.typeUrl, value: payload.value },
    }
  )
}

function typed(topic: string, message: Message | undefined): DomainEvent | undefined {
  switch (topic) {
    case '/namespaces/create':
      if (!isMessage(message, NamespaceCreateSchema)) return undefined
      return { topic, payload: { name: message.name, labels: receivedLabels(message.labels) } }
    case '/namespaces/update':
      if (!isMessage(message, NamespaceUpdateSchema)) return undefined
      return { topic, payload: { name: message.name, labels: receivedLabels(message.labels) } }
    case '/namespaces/delete':
      if (!isMessage(message, NamespaceDeleteSchema)) return undefined
      return { topic, payload: { name: message.name } }
    case '/content/create':
      if (!isMessage(message, ContentCreateSchema)) return undefined
      return { topic, payload: { digest: message.digest, size: toSafeNumber(message.size, 'size') } }
    case '/content/delete':
      if (!isMessage(message, ContentDeleteSchema)) return undefined
      return { topic, payload: { digest: message.digest } }
    case '/images/create':
      if (!isMessage(message, ImageCreateSchema)) return undefined
      return { topic, payload: { name: message.name, labels: receivedLabels(message.labels) } }
    case '/images/update':
      if (!isMessage(message, ImageUpdateSchema)) return undefined
      return { topic, payload: { name: message.name, labels: receivedLabels(message.labels) } }
    case '/images/delete':
      if (!isMessage(message, ImageDeleteSchema)) return undefined
      return { topic, payload: { name: message.name } }
    case '/snapshot/prepare': {
      if (!isMessage(message, SnapshotPrepareSchema)) return undefined
      const { key, parent, snapshotter } = message
      return { topic, payload: { key, parent, snapshotter } }
    }
    case '/snapshot/commit': {
      if (!isMessage(message, SnapshotCommitSchema)) return undefined
      const { key, name, snapshotter } = message
      return { topic, payload: { key, name, snapshotter } }
    }
    case '/snapshot/remove': {
      if (!isMessage(message, SnapshotRemoveSchema)) return undefined
      const { key, snapshotter } = message
      return { topic, payload: { key, snapshotter } }
    }
    default:
      return receivedContainerEvent(topic, message) ?? receivedTaskEvent(topic, message)
  }
}
