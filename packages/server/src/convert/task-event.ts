import { packAny, toTimestamp } from '@nsbox/api'
import {
  TaskCheckpointedSchema,
  TaskCreateSchema,
  TaskDeleteSchema,
  TaskExecAddedSchema,
  TaskExecStartedSchema,
  TaskExitSchema,
  TaskOOMSchema,
  TaskPausedSchema,
  TaskResumedSchema,
  TaskStartSchema,
} from '@nsbox/api/gen/events/task_pb'
import type { DomainEvent } from '@nsbox/core/events'
import { toMountMessage } from './mount.ts'

type TaskEvent = Extract<DomainEvent, { topic: `/tasks/${string}` }>

/** The payload of an event of the tasks. */
export function packTaskEvent(event: TaskEvent): ReturnType<typeof packAny> {
  switch (event.topic) {
    case '/tasks/create':
      return packAny(TaskCreateSchema, { ...event.payload, rootfs: event.payload.rootfs.map(toMountMessage) })
    case '/tasks/start':
      return packAny(TaskStartSchema, event.payload)
    case '/tasks/exec-added':
      return packAny(TaskExecAddedSchema, event.payload)
    case '/tasks/exec-started':
      return packAny(TaskExecStartedSchema, event.payload)
    case '/tasks/exit':
      return packAny(TaskExitSchema, ended(event.payload))
    case '/tasks/delete':
      return packAny(TaskDeleteSchema, ended(event.payload))
    case '/tasks/oom':
      return packAny(TaskOOMSchema, event.payload)
    case '/tasks/paused':
      return packAny(TaskPausedSchema, event.payload)
    case '/tasks/resumed':
      return packAny(TaskResumedSchema, event.payload)
    case '/tasks/checkpointed':
      return packAny(TaskCheckpointedSchema, event.payload)
  }
}

function ended<T extends { readonly exitedAt: Date }>(payload: T) {
  return { ...payload, exitedAt: toTimestamp(payload.exitedAt, 'exited_at') }
}
