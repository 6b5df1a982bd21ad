import { toBinary } from '@bufbuild/protobuf'
import { packAny } from '@nsbox/api'
import { TaskExitSchema } from '@nsbox/api/gen/events/task_pb'
import { EnvelopeSchema } from '@nsbox/api/gen/types/event_pb'
import { parseFilter } from '@nsbox/filters'
import { attempt, fuzz, mutatedBytes, mutatedText } from '@nsbox/testing/fuzz'
import { Timestamp } from '@nsbox/time'
import fc from 'fast-check'
import { expect } from 'vitest'
import { fromEnvelopeMessage, opaqueEventFields, toEnvelopeMessage } from '../convert/event.ts'
import { eventAdaptor } from './event-adaptor.ts'
import { validateTopic } from './event-topic.ts'

const topic = mutatedText(['/tasks/exit', '/a', '/fuzz/a-b.c_d/1'], {
  most: 2,
  dictionary: ['/', '//', '..', '\0', ' ', '\n', 'x'.repeat(80)],
})

fuzz('D16 a topic that is accepted is made of names', topic, (text) => {
  const { outcome } = attempt(() => validateTopic(text))
  if (outcome !== 'accepted') return outcome
  expect(text).toMatch(/^(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)+$/)
  expect(new URL(`http://x${text}`).pathname).toBe(text)
  return outcome
})

const exit = packAny(TaskExitSchema, {
  containerId: 'a',
  id: 'b',
  pid: 7,
  exitStatus: 255,
  exitedAt: { seconds: 5n, nanos: 6 },
})
const seconds = fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(0n, 2n ** 33n))
const envelope = fc.record({
  seconds,
  nanos: fc.oneof(fc.nat(999_999_999), fc.integer()),
  namespace: fc.string({ maxLength: 5 }),
  typeUrl: fc.constantFrom(
    exit.typeUrl,
    `type.googleapis.com/${exit.typeUrl}`,
    'google.protobuf.Empty',
    '',
    'x/y',
  ),
  value: mutatedBytes([exit.value], { most: 3 }),
})

fuzz(
  'an event that was published is delivered as it came, and can be filtered whatever is in it',
  envelope,
  ({ seconds: s, nanos, namespace, typeUrl, value }) => {
    const message = toEnvelopeMessage({
      timestamp: Timestamp.epoch,
      namespace,
      event: { topic: '/a', opaque: { typeUrl, value } },
    })
    message.timestamp = { ...message.timestamp!, seconds: s, nanos }
    const { outcome, value: read } = attempt(() => fromEnvelopeMessage(message))
    if (read === undefined) return outcome
    const again = toEnvelopeMessage(read)
    expect(again.timestamp).toMatchObject({ seconds: s, nanos })
    expect(Buffer.from(again.event!.value).equals(value)).toBe(true)
    expect(again.event!.typeUrl).toBe(typeUrl)
    toBinary(EnvelopeSchema, again)
    const adaptor = eventAdaptor(read, opaqueEventFields)
    for (const filter of [
      'event.container_id==a',
      'event.exit_status~=/./',
      'event.exited_at',
      'event.labels.x',
      'topic=="/a"',
    ])
      expect(typeof parseFilter(filter).match(adaptor)).toBe('boolean')
    return outcome
  },
)
