import { packAny } from '@nsbox/api'
import {
  ContainerCreateSchema,
  ContainerDeleteSchema,
  ContainerUpdateSchema,
} from '@nsbox/api/gen/events/container_pb'
import type { DomainEvent } from '@nsbox/core/events'

type ContainerEvent = Extract<DomainEvent, { topic: `/containers/${string}` }>

/** The payload of an event of the containers. */
export function packContainerEvent(event: ContainerEvent): ReturnType<typeof packAny> {
  switch (event.topic) {
    case '/containers/create':
      return packAny(ContainerCreateSchema, event.payload)
    case '/containers/update':
      return packAny(ContainerUpdateSchema, event.payload)
    case '/containers/delete':
      return packAny(ContainerDeleteSchema, event.payload)
  }
}
