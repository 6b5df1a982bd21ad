import { packAny } from '@nsbox/api'
import { ContentDeleteSchema } from '@nsbox/api/gen/events/content_pb'
import { TaskStartSchema } from '@nsbox/api/gen/events/task_pb'
import type { Event } from '@nsbox/core/events'
import { Timestamp } from '@nsbox/time'
import { expect, test } from 'vitest'
import { eventMessage, receivedEvent } from './event-message.ts'

const labels = Object.assign(Object.create(null), { a: 'b' })

const exitedAt = Timestamp.fromEpochMicroseconds(1_500_250)

const events: Event[] = [
  { topic: '/namespaces/create', payload: { name: 'n', labels } },
  { topic: '/namespaces/update', payload: { name: 'n', labels } },
  { topic: '/namespaces/delete', payload: { name: 'n' } },
  { topic: '/content/create', payload: { digest: 'sha256:x', size: 12 } },
  { topic: '/content/delete', payload: { digest: 'sha256:x' } },
  { topic: '/images/create', payload: { name: 'i', labels } },
  { topic: '/images/update', payload: { name: 'i', labels } },
  { topic: '/images/delete', payload: { name: 'i' } },
  { topic: '/snapshot/prepare', payload: { key: 'k', parent: 'p', snapshotter: 'overlayfs' } },
  { topic: '/snapshot/commit', payload: { key: 'k', name: 'n', snapshotter: 'overlayfs' } },
  { topic: '/snapshot/remove', payload: { key: 'k', snapshotter: 'overlayfs' } },
  {
    topic: '/containers/create',
    payload: {
      id: 'c',
      image: 'i',
      runtime: { name: 'r', options: { typeUrl: 'o', value: new Uint8Array([1]) } },
    },
  },
  { topic: '/containers/create', payload: { id: 'c', image: 'i', runtime: { name: 'r' } } },
  { topic: '/containers/update', payload: { id: 'c', image: 'i', labels, snapshotKey: 'k' } },
  { topic: '/containers/delete', payload: { id: 'c' } },
  {
    topic: '/tasks/create',
    payload: {
      containerId: 'c',
      bundle: '/b',
      rootfs: [{ type: 'bind', source: '/s', target: '', options: ['ro'] }],
      io: { stdin: '', stdout: '/o', stderr: '/e', terminal: false },
      checkpoint: '',
      pid: 7,
    },
  },
  { topic: '/tasks/start', payload: { containerId: 'c', pid: 7 } },
  { topic: '/tasks/exec-added', payload: { containerId: 'c', execId: 'e' } },
  { topic: '/tasks/exec-started', payload: { containerId: 'c', execId: 'e', pid: 8 } },
  { topic: '/tasks/exit', payload: { containerId: 'c', id: 'e', pid: 8, exitStatus: 137, exitedAt } },
  { topic: '/tasks/delete', payload: { containerId: 'c', id: '', pid: 7, exitStatus: 0, exitedAt } },
  { topic: '/tasks/oom', payload: { containerId: 'c' } },
  { topic: '/tasks/paused', payload: { containerId: 'c' } },
  { topic: '/tasks/resumed', payload: { containerId: 'c' } },
  { topic: '/tasks/checkpointed', payload: { containerId: 'c', checkpoint: 'sha256:x' } },
  { topic: '/mine', opaque: { typeUrl: 'example.com/Mine', value: new Uint8Array([1, 2]) } },
]

test.each(events)('$topic comes back as it was sent', (event) => {
  expect(receivedEvent(event.topic, eventMessage(event))).toEqual(event)
})

test.each([
  [
    'a type that has no place in the interface',
    '/tasks/unknown',
    packAny(TaskStartSchema, { containerId: 'c', pid: 1 }),
  ],
  [
    'another type than the topic has',
    '/content/create',
    packAny(ContentDeleteSchema, { digest: 'sha256:x' }),
  ],
  ['an unknown type', '/content/create', { typeUrl: 'example.com/Mine', value: new Uint8Array([9]) }],
])('%s stays verbatim', (_, topic, { typeUrl, value }) => {
  expect(receivedEvent(topic, { typeUrl, value })).toEqual({ topic, opaque: { typeUrl, value } })
})
