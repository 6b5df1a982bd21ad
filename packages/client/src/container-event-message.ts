import { isMessage, type Message } from '@bufbuild/protobuf'
import { packAny } from '@nsbox/api'
import {
  ContainerCreateSchema,
  ContainerDeleteSchema,
  ContainerUpdateSchema,
} from '@nsbox/api/gen/events/container_pb'
import type { DomainEvent } from '@nsbox/core/events'
import { receivedLabels } from './received.ts'

type ContainerEvent = Extract<DomainEvent, { topic: `/containers/${string}` }>

/** The payload of an event of the containers for a request. */
export function containerEventMessage(event: ContainerEvent): ReturnType<typeof packAny> {
  switch (event.topic) {
    case '/containers/create':
      return packAny(ContainerCreateSchema, event.payload)
    case '/containers/update':
      return packAny(ContainerUpdateSchema, event.payload)
    case '/containers/delete':
      return packAny(ContainerDeleteSchema, event.payload)
  }
}

/** An event of the containers from a response; undefined if the payload is not of the topic's type. */
export function receivedContainerEvent(
  topic: string,
  message: Message | undefined,
): ContainerEvent | undefined {
  switch (topic) {
    case '/containers/create': {
      if (!isMessage(message, ContainerCreateSchema)) return undefined
      const { id, image, runtime } = message
      const options = runtime?.options && { typeUrl: runtime.options.typeUrl, value: runtime.options.value }
      return {
        topic,
        payload: { id, image, runtime: { name: runtime?.name ?? '', ...(options && { options }) } },
      }
    }
    case '/containers/update': {
      if (!isMessage(message, ContainerUpdateSchema)) return undefined
      const { id, image, labels, snapshotKey } = message
      return { topic, payload: { id, image, labels: receivedLabels(labels), snapshotKey } }
    }
    case '/containers/delete':
      if (!isMessage(message, ContainerDeleteSchema)) return undefined
      return { topic, payload: { id: message.id } }
    default:
      return undefined
  }
}
