import { type DescMessage, fromBinary, type Message, toJson } from '@bufbuild/protobuf'
import type { Any } from '@bufbuild/protobuf/wkt'
import {
  ContainerCreateSchema,
  ContainerDeleteSchema,
  ContainerUpdateSchema,
} from '@nsbox/api/gen/events/container_pb'
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

const schemas: ReadonlyMap<string, DescMessage> = new Map<string, DescMessage>(
  [
    ...[ContainerCreateSchema, ContainerDeleteSchema, ContainerUpdateSchema],
    ...[ContentCreateSchema, ContentDeleteSchema],
    ...[ImageCreateSchema, ImageDeleteSchema, ImageUpdateSchema],
    ...[NamespaceCreateSchema, NamespaceDeleteSchema, NamespaceUpdateSchema],
    ...[SnapshotCommitSchema, SnapshotPrepareSchema, SnapshotRemoveSchema],
    ...[TaskCheckpointedSchema, TaskCreateSchema, TaskDeleteSchema, TaskExecAddedSchema],
    ...[TaskExecStartedSchema, TaskExitSchema, TaskOOMSchema, TaskPausedSchema, TaskResumedSchema],
    TaskStartSchema,
  ].map((schema) => [schema.typeName, schema]),
)

/** Most bytes of a payload that are looked at. */
const mostBytes = 64 * 1024

/** What an event is about: its values in the order of its fields, without structure. */
export function eventText({ typeUrl, value }: Any): string {
  const schema = schemas.get(typeUrl.slice(typeUrl.lastIndexOf('/') + 1))
  if (schema === undefined || value.length > mostBytes) return typeUrl
  try {
    const json = toJson(schema, fromBinary(schema, value) as Message)
    return typeof json === 'object' && json !== null ? pairs(json).join('  ') : ''
  } catch {
    // Anyone may publish bytes under any name.
    return typeUrl
  }
}

function pairs(json: object): string[] {
  return Object.entries(json).flatMap(([key, value]) => {
    if (typeof value === 'object' && value !== null) return [`${key} ${JSON.stringify(value)}`]
    return value === '' ? [] : [`${key} ${value}`]
  })
}
