import { create, type DescMessage, type Message, toBinary } from '@bufbuild/protobuf'
import { BytesValueSchema } from '@bufbuild/protobuf/wkt'
import {
  InfoResponseSchema,
  ReadContentResponseSchema,
  WriteContentRequestSchema,
} from '@nsbox/api/gen/services/content/v1/content_pb'
import { expect, test } from 'vitest'
import { encodeMessage } from './encoded-message.ts'

const whole = ({ start, rest = new Uint8Array() }: ReturnType<typeof encodeMessage>) =>
  Buffer.concat([start, rest])

function expectSame(schema: DescMessage, message: Message) {
  const encoded = encodeMessage(schema, message)
  expect(whole(encoded)).toEqual(Buffer.from(toBinary(schema, message)))
  expect(encoded.length).toBe(whole(encoded).length)
  return encoded
}

test('the bytes are those of the message, whatever their size', () => {
  for (const size of [0, 1, 16_384, 16_385, 40_000, 3 << 20]) {
    const data = new Uint8Array(size).fill(7)
    expectSame(ReadContentResponseSchema, create(ReadContentResponseSchema, { offset: 3n, data }))
    expectSame(BytesValueSchema, create(BytesValueSchema, { value: data }))
    // Fields with higher numbers come after these bytes.
    expectSame(WriteContentRequestSchema, create(WriteContentRequestSchema, { data, labels: { a: 'b' } }))
  }
  const digest = 'd'.repeat(40_000)
  expectSame(InfoResponseSchema, create(InfoResponseSchema, { info: { digest } }))
})

test('large bytes at the end are not copied', () => {
  const data = new Uint8Array(40_000)
  const message = create(ReadContentResponseSchema, { offset: 3n, data })
  expect(encodeMessage(ReadContentResponseSchema, message).rest).toBe(data)
})

test('fields that are unknown are encoded as well', () => {
  const message = create(ReadContentResponseSchema, { data: new Uint8Array(40_000) })
  message.$unknown = [{ no: 100, wireType: 0, data: Uint8Array.of(1) }]
  expectSame(ReadContentResponseSchema, message)
})
