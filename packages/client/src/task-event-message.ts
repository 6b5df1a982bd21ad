import { isMessage, type Message } from '@bufbuild/protobuf'
import { packAny, toTimestamp } from '@nsbox/api'
import {
  TaskCheckpointedSchema,
  TaskCreateSchema,
  type TaskDelete,
  TaskDeleteSchema,
  TaskExecAddedSchema,
  TaskExecStartedSchema,
  type TaskExit,
  TaskExitSchema,
  TaskOOMSchema,
  TaskPausedSchema,
  TaskResumedSchema,
  TaskStartSchema,
} from '@nsbox/api/gen/events/task_pb'
import type { DomainEvent } from '@nsbox/core/events'
import { mountMessage, receivedMount } from './mount-message.ts'
import { receivedDate } from './received.ts'

type TaskEvent = Extract<DomainEvent, { topic: `/tasks/${string}` }>

/** The payload of an event of the tasks for a request. */
export function taskEventMessage(event: TaskEvent): ReturnType<typeof packAny> {
  switch (event.topic) {
    case '/tasks/create':
      return packAny(TaskCreateSchema, { ...event.payload, rootfs: event.payload.rootfs.map(mountMessage) })
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

/** An event of the tasks from a response; undefined if the payload is not of the topic's type. */
export function receivedTaskEvent(topic: string, message: Message | undefined): TaskEvent | undefined {
  switch (topic) {
    case '/tasks/create': {
      if (!isMessage(message, TaskCreateSchema)) return undefined
      const { containerId, bundle, rootfs, io, checkpoint, pid } = message
      const { stdin = '', stdout = '', stderr = '', terminal = false } = io ?? {}
      const mounts = rootfs.map(receivedMount)
      return {
        topic,
        payload: {
          containerId,
          bundle,
          rootfs: mounts,
          io: { stdin, stdout, stderr, terminal },
          checkpoint,
          pid,
        },
      }
    }
    case '/tasks/start':
      if (!isMessage(message, TaskStartSchema)) return undefined
      return { topic, payload: { containerId: message.containerId, pid: message.pid } }
    case '/tasks/exec-added':
      if (!isMessage(message, TaskExecAddedSchema)) return undefined
      return { topic, payload: { containerId: message.containerId, execId: message.execId } }
    case '/tasks/exec-started': {
      if (!isMessage(message, TaskExecStartedSchema)) return undefined
      const { containerId, execId, pid } = message
      return { topic, payload: { containerId, execId, pid } }
    }
    case '/tasks/exit':
      return isMessage(message, TaskExitSchema) ? { topic, payload: receivedEnd(message) } : undefined
    case '/tasks/delete':
      return isMessage(message, TaskDeleteSchema) ? { topic, payload: receivedEnd(message) } : undefined
    case '/tasks/oom':
      if (!isMessage(message, TaskOOMSchema)) return undefined
      return { topic, payload: { containerId: message.containerId } }
    case '/tasks/paused':
      if (!isMessage(message, TaskPausedSchema)) return undefined
      return { topic, payload: { containerId: message.containerId } }
    case '/tasks/resumed':
      if (!isMessage(message, TaskResumedSchema)) return undefined
      return { topic, payload: { containerId: message.containerId } }
    case '/tasks/checkpointed': {
      if (!isMessage(message, TaskCheckpointedSchema)) return undefined
      return { topic, payload: { containerId: message.containerId, checkpoint: message.checkpoint } }
    }
    default:
      return undefined
  }
}

function receivedEnd({ containerId, id, pid, exitStatus, exitedAt }: TaskDelete | TaskExit) {
  return { containerId, id, pid, exitStatus, exitedAt: receivedDate(exitedAt, 'exited_at') }
}
