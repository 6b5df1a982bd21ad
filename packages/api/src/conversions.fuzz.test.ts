import { create, toBinary } from '@bufbuild/protobuf'
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt'
import { attempt, fuzz, mutatedBytes } from '@nsbox/testing/fuzz'
import { Timestamp } from '@nsbox/time'
import fc from 'fast-check'
import { expect } from 'vitest'
import { packAny, unpackAny } from './any.ts'
import { anyRegistry, unpackKnownAny } from './any-registry.ts'
import { packEventPayload, unpackEventPayload } from './event-payload.ts'
import { TaskExitSchema } from './gen/events/task_pb.ts'
import { OptionsSchema } from './gen/types/runc/options/oci_pb.ts'
import { toBigInt, toSafeNumber } from './safe-integer.ts'
import { fromTimestamp, toTimestamp } from './timestamp.ts'

const seconds = fc.oneof(
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  fc.bigInt(-62_135_596_802n, -62_135_596_798n),
  fc.bigInt(253_402_300_797n, 253_402_300_802n),
  fc.bigInt(-5n, 5n),
)
const nanos = fc.oneof(fc.integer(), fc.integer({ min: -1, max: 1_000_000_000 }))

fuzz('D22 a timestamp that is accepted is the same when it is sent', fc.tuple(seconds, nanos), ([s, n]) => {
  const { outcome, value } = attempt(() => fromTimestamp({ seconds: s, nanos: n }, 'time'))
  if (outcome !== 'accepted') return outcome
  // The zero of Go stands for never.
  if (value === undefined) return 'never'
  const again = toTimestamp(value)
  expect(again.seconds).toBe(s)
  expect(again.nanos).toBe(n)
  return outcome
})

fuzz(
  'D22 a date that is accepted comes back',
  fc.oneof(fc.date(), fc.date({ noInvalidDate: false })),
  (date) => {
    const { outcome, value } = attempt(() => toTimestamp(Timestamp.fromDate(date)))
    if (value === undefined) return outcome
    toBinary(TimestampSchema, value)
    expect(fromTimestamp(value, 'time')?.toDate().getTime() ?? -62_135_596_800_000).toBe(date.getTime())
    return outcome
  },
)

fuzz(
  'an integer of 64 bits is exact or refused',
  fc.oneof(fc.bigInt(-(2n ** 64n), 2n ** 64n), fc.bigInt(2n ** 53n - 3n, 2n ** 53n + 3n)),
  (integer) => {
    const { outcome, value } = attempt(() => toSafeNumber(integer, 'size'))
    if (value === undefined) return outcome
    expect(toBigInt(value, 'size')).toBe(integer)
    return outcome
  },
)

const types = [...anyRegistry].filter((type) => type.kind === 'message')
const options = packAny(OptionsSchema, { binaryName: 'runc', root: '/x', systemdCgroup: true, ioUid: 5 })
const exit = packAny(TaskExitSchema, {
  containerId: 'a',
  id: 'b',
  pid: 7,
  exitStatus: 255,
  exitedAt: { seconds: 5n, nanos: 6 },
})
const value = mutatedBytes([options.value, exit.value], {
  dictionary: ['\x0a', '\x80\x80\x80\x80\x80\x01', '\xff'],
})
const typeUrl = fc.oneof(
  fc.constantFrom(...types.map(({ typeName }) => typeName)),
  fc.constantFrom('', 'type.googleapis.com/', 'type.googleapis.com/google.protobuf.Empty', options.typeUrl),
)

fuzz(
  'an Any is a message of its type or refused, whatever its bytes',
  fc.tuple(typeUrl, value),
  ([url, bytes]) => {
    const { outcome, value: message } = attempt(() => unpackKnownAny({ typeUrl: url, value: bytes }))
    if (message === undefined) return outcome === 'accepted' ? 'unknown' : outcome
    const schema = anyRegistry.getMessage(message.$typeName)!
    const { value: sent } = packAny(schema, message)
    expect(packAny(schema, unpackAny(schema, { typeUrl: url, value: sent })).value).toEqual(sent)
    return outcome
  },
)

fuzz(
  'the payload of an event is plain data that can be sent again, or refused',
  fc.tuple(fc.constantFrom('/tasks/exit', '/tasks/create', '/nothing'), value),
  ([topic, bytes]) => {
    const { outcome, value: payload } = attempt(() =>
      unpackEventPayload(topic, { typeUrl: exit.typeUrl, value: bytes }),
    )
    if (payload === undefined) return outcome === 'accepted' ? 'unknown' : outcome
    const again = attempt(() => packEventPayload(topic, payload))
    if (again.value === undefined) return again.outcome
    expect(unpackEventPayload(topic, again.value)).toEqual(payload)
    return outcome
  },
)

fuzz('durations of any value are no dates', fc.tuple(seconds, nanos), ([s, n]) => {
  const any = packAny(DurationSchema, create(DurationSchema, { seconds: s, nanos: n }))
  expect(attempt(() => unpackAny(TimestampSchema, any)).outcome).toBe('invalid_argument')
  return 'accepted'
})
