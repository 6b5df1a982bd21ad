import { create, toBinary } from '@bufbuild/protobuf'
import { packAny, unpackAny } from '@nsbox/api'
import { ImageCreateSchema } from '@nsbox/api/gen/events/image_pb'
import { TaskExitSchema } from '@nsbox/api/gen/events/task_pb'
import { Timestamp } from '@nsbox/time'
import { expect, test } from 'vitest'
import { fromEnvelopeMessage, opaqueEventFields, toEnvelopeMessage } from './event.ts'

test('an event of the domains becomes the message that clients know', () => {
  const message = toEnvelopeMessage({
    timestamp: Timestamp.fromEpochMilliseconds(1500),
    namespace: 'a',
    event: { topic: '/images/create', payload: { name: 'x', labels: { k: 'v' } } },
  })
  expect(message).toMatchObject({ namespace: 'a', topic: '/images/create' })
  expect(message.timestamp).toMatchObject({ seconds: 1n, nanos: 500_000_000 })
  expect(message.event?.typeUrl).toBe('containerd.services.images.v1.ImageCreate')
  expect(message.event && unpackAny(ImageCreateSchema, message.event)).toMatchObject({
    name: 'x',
    labels: { k: 'v' },
  })
})

test('an event of a client travels verbatim', () => {
  const opaque = { typeUrl: 'some.Type', value: new Uint8Array([1, 2, 3]) }
  const envelope = { timestamp: new Timestamp(0, 7_000_123), namespace: 'a', event: { topic: '/x', opaque } }
  expect(fromEnvelopeMessage(toEnvelopeMessage(envelope))).toEqual(envelope)
})

test('an envelope without time or event is refused', () => {
  const { event, timestamp, ...rest } = toEnvelopeMessage({
    timestamp: new Timestamp(0, 7_000_123),
    namespace: 'a',
    event: { topic: '/x', opaque: { typeUrl: 'x', value: new Uint8Array() } },
  })
  for (const message of [undefined, { ...rest, event }, { ...rest, timestamp }]) {
    expect(() => fromEnvelopeMessage(message as never)).toThrow('invalid argument')
  }
})

test('filters see the fields of events of known types, and nothing of others', () => {
  const { typeUrl, value } = packAny(TaskExitSchema, { containerId: 'c1', pid: 7 })
  const event = { topic: '/tasks/exit', opaque: { typeUrl, value } }
  expect(opaqueEventFields(event)(['container_id'])).toBe('c1')
  expect(opaqueEventFields(event)(['pid'])).toBe('7')
  expect(opaqueEventFields(event)(['id'])).toBeUndefined()
  expect(opaqueEventFields(event)(['exited_at'])).toBeUndefined()
  expect(opaqueEventFields(event)(['__proto__'])).toBeUndefined()
  expect(opaqueEventFields({ topic: '/x', opaque: { typeUrl: 'unknown', value } })(['pid'])).toBeUndefined()
  const labelled = toBinary(ImageCreateSchema, create(ImageCreateSchema, { labels: { 'a.b': 'c' } }))
  const image = { topic: '/x', opaque: { typeUrl: ImageCreateSchema.typeName, value: labelled } }
  expect(opaqueEventFields(image)(['labels', 'a', 'b'])).toBe('c')
})

test('malformed bytes under a known type match no filter and break nothing', () => {
  const opaque = { typeUrl: TaskExitSchema.typeName, value: new Uint8Array([0xff]) }
  expect(opaqueEventFields({ topic: '/x', opaque })(['pid'])).toBeUndefined()
})
