import type { DescMessage } from '@bufbuild/protobuf'
import type { Any } from '@bufbuild/protobuf/wkt'
import { NsboxError } from '@nsbox/errors'
import { type AnyLike, packAny, typeName, unpackAny } from './any.ts'
import {
  ContainerCreateSchema,
  ContainerDeleteSchema,
  ContainerUpdateSchema,
} from './gen/events/container_pb.ts'
import { ContentCreateSchema, ContentDeleteSchema } from './gen/events/content_pb.ts'
import { ImageCreateSchema, ImageDeleteSchema, ImageUpdateSchema } from './gen/events/image_pb.ts'
import {
  NamespaceCreateSchema,
  NamespaceDeleteSchema,
  NamespaceUpdateSchema,
} from './gen/events/namespace_pb.ts'
import { SandboxCreateSchema, SandboxExitSchema, SandboxStartSchema } from './gen/events/sandbox_pb.ts'
import {
  SnapshotCommitSchema,
  SnapshotPrepareSchema,
  SnapshotRemoveSchema,
} from './gen/events/snapshot_pb.ts'
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
} from './gen/events/task_pb.ts'
import { fromPlain, type PlainMessage, toPlain } from './plain-message.ts'

/** The message type of each topic (docs/behaviour.md §8). */
const payloads: ReadonlyMap<string, DescMessage> = new Map<string, DescMessage>([
  ['/namespaces/create', NamespaceCreateSchema],
  ['/namespaces/update', NamespaceUpdateSchema],
  ['/namespaces/delete', NamespaceDeleteSchema],
  ['/content/create', ContentCreateSchema],
  ['/content/delete', ContentDeleteSchema],
  ['/images/create', ImageCreateSchema],
  ['/images/update', ImageUpdateSchema],
  ['/images/delete', ImageDeleteSchema],
  ['/snapshot/prepare', SnapshotPrepareSchema],
  ['/snapshot/commit', SnapshotCommitSchema],
  ['/snapshot/remove', SnapshotRemoveSchema],
  ['/containers/create', ContainerCreateSchema],
  ['/containers/update', ContainerUpdateSchema],
  ['/containers/delete', ContainerDeleteSchema],
  ['/sandboxes/create', SandboxCreateSchema],
  ['/sandboxes/start', SandboxStartSchema],
  ['/sandboxes/exit', SandboxExitSchema],
  ['/tasks/create', TaskCreateSchema],
  ['/tasks/start', TaskStartSchema],
  ['/tasks/exec-added', TaskExecAddedSchema],
  ['/tasks/exec-started', TaskExecStartedSchema],
  ['/tasks/exit', TaskExitSchema],
  ['/tasks/delete', TaskDeleteSchema],
  ['/tasks/oom', TaskOOMSchema],
  ['/tasks/paused', TaskPausedSchema],
  ['/tasks/resumed', TaskResumedSchema],
  ['/tasks/checkpointed', TaskCheckpointedSchema],
])

/**
 * Packs the payload of an event into the message of its topic.
 * @throws invalid_argument for an unknown topic
 */
export function packEventPayload(topic: string, payload: object): Any {
  const schema = payloads.get(topic)
  if (schema === undefined)
    throw new NsboxError('invalid_argument', `no event has the topic ${JSON.stringify(topic)}`)
  return packAny(schema, fromPlain(schema, payload as PlainMessage))
}

/**
 * The payload of an event; undefined for an unknown topic, or a message of another type than the topic's.
 *
 * @throws invalid_argument for bytes that do not decode as the type
 */
export function unpackEventPayload(topic: string, any: AnyLike): PlainMessage | undefined {
  const schema = payloads.get(topic)
  if (schema === undefined || typeName(any) !== schema.typeName) return undefined
  return toPlain(schema, unpackAny(schema, any))
}
