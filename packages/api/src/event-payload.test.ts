import { Timestamp } from '@nsbox/time'
import { expect, test } from 'vitest'
import { packAny } from './any.ts'
import { packEventPayload, unpackEventPayload } from './event-payload.ts'
import { ContainerCreateSchema } from './gen/events/container_pb.ts'
import { TaskCreateSchema, TaskExitSchema, TaskStartSchema } from './gen/events/task_pb.ts'

test('a payload becomes the message of its topic and comes back', () => {
  const payload = {
    containerId: 'c',
    id: 'e',
    pid: 8,
    exitStatus: 137,
    exitedAt: Timestamp.fromEpochMicroseconds(1_500_250),
  }
  const any = packEventPayload('/tasks/exit', payload)
  expect(any.typeUrl).toBe(TaskExitSchema.typeName)
  expect(unpackEventPayload('/tasks/exit', any)).toEqual(payload)
})

test('what a server leaves out comes with its defaults, but for an Any', () => {
  expect(unpackEventPayload('/tasks/create', packAny(TaskCreateSchema, { pid: 1 }))).toEqual({
    containerId: '',
    bundle: '',
    rootfs: [],
    io: { stdin: '', stdout: '', stderr: '', terminal: false },
    checkpoint: '',
    pid: 1,
  })
  expect(unpackEventPayload('/containers/create', packAny(ContainerCreateSchema, { id: 'c' }))).toEqual({
    id: 'c',
    image: '',
    runtime: { name: '' },
  })
})

test('a message of another type than the topic has is none of its payloads', () => {
  const start = packAny(TaskStartSchema, { pid: 1 })
  expect(unpackEventPayload('/tasks/exit', start)).toBeUndefined()
  expect(unpackEventPayload('/tasks/unknown', start)).toBeUndefined()
})

test('malformed bytes are refused', () => {
  const any = { typeUrl: TaskStartSchema.typeName, value: new Uint8Array([0xff]) }
  expect(() => unpackEventPayload('/tasks/start', any)).toThrow('invalid argument')
})

test('a number that no 64-bit integer stands for is refused', () => {
  const payload = { digest: 'sha256:x', size: 0.5 }
  expect(() => packEventPayload('/content/create', payload)).toThrow('size: 0.5 is not a safe integer')
})

test('an unknown topic is refused, and a field that the message lacks is a bug', () => {
  expect(() => packEventPayload('/tasks/unknown', {})).toThrow(
    'no event has the topic "/tasks/unknown": invalid argument',
  )
  expect(() => packEventPayload('/tasks/start', { container: 'c' })).toThrow('has no field container')
})
