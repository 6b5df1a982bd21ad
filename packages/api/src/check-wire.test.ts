import { create, type DescMessage, fromBinary, type Message, toBinary } from '@bufbuild/protobuf'
import { AnySchema } from '@bufbuild/protobuf/wkt'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkWire } from './check-wire.ts'
import { CPUUsageSchema } from './gen/cgroups/v1/metrics_pb.ts'
import { CPUStatSchema } from './gen/cgroups/v2/metrics_pb.ts'
import {
  CreateContainerRequestSchema,
  ListContainersRequestSchema,
} from './gen/services/containers/v1/containers_pb.ts'
import { ApplyRequestSchema } from './gen/services/diff/v1/diff_pb.ts'

const code = (schema: DescMessage, bytes: Uint8Array, maxFields = 1000): string => {
  try {
    checkWire(schema, bytes, maxFields)
    return 'ok'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}
const times = (count: number, ...bytes: number[]) => Buffer.alloc(count * bytes.length, Buffer.of(...bytes))
const within = (tag: number, inner: Uint8Array) => {
  const length: number[] = []
  for (let left = inner.length; ; left >>>= 7) {
    if (left < 0x80) {
      length.push(left)
      break
    }
    length.push((left & 0x7f) | 0x80)
  }
  return Buffer.concat([Buffer.of(tag, ...length), inner])
}

describe('E05 the fields of a message are counted before it is decoded', () => {
  it.each<[string, DescMessage, number, number]>([
    ['unknown numbers', ListContainersRequestSchema, 0x78, 0x01],
    ['unknown empty groups', ListContainersRequestSchema, 0x7b, 0x7c],
    ['empty texts', ListContainersRequestSchema, 0x0a, 0x00],
    ['empty messages', ApplyRequestSchema, 0x12, 0x00],
    ['one message in parts', ApplyRequestSchema, 0x0a, 0x00],
  ])('%s', (_, schema, ...bytes) => {
    expect(code(schema, times(1000, ...bytes))).toBe('ok')
    expect(code(schema, times(1001, ...bytes))).toBe('resource_exhausted')
  })

  it('those of messages within, and of entries of maps', () => {
    // A label is an entry, its key and its value.
    const label = [0x12, 0x06, 0x0a, 0x01, 0x61, 0x12, 0x01, 0x62]
    expect(code(CreateContainerRequestSchema, within(0x0a, times(333, ...label)))).toBe('ok')
    expect(code(CreateContainerRequestSchema, within(0x0a, times(334, ...label)))).toBe('resource_exhausted')
  })

  it('those of groups within', () => {
    expect(code(ListContainersRequestSchema, Buffer.of(0x7b, ...times(999, 0x78, 1), 0x7c))).toBe('ok')
    expect(code(ListContainersRequestSchema, Buffer.of(0x7b, ...times(1000, 0x78, 1), 0x7c))).toBe(
      'resource_exhausted',
    )
  })

  it('each number of many in one record', () => {
    const perCpu = (count: number) => within(0x22, times(count, 1))
    expect(code(CPUUsageSchema, perCpu(999))).toBe('ok')
    expect(code(CPUUsageSchema, perCpu(1000))).toBe('resource_exhausted')
    expect(fromBinary(CPUUsageSchema, perCpu(999)).perCpu).toHaveLength(999)
  })

  it('and levels, of messages and of groups', () => {
    const nested = (levels: number) => Buffer.concat([times(levels, 0x7b), times(levels, 0x7c)])
    expect(code(AnySchema, nested(99))).toBe('ok')
    expect(code(AnySchema, nested(100))).toBe('resource_exhausted')
    expect(code(AnySchema, nested(900), 10_000)).toBe('resource_exhausted')
  })

  it('of 16 MiB no more is looked at than up to the limit', () => {
    const bytes = new Proxy(times(8 << 20, 0x78, 1), {
      get: (target, key) => {
        if (typeof key === 'string' && Number(key) > 2010) throw new Error(`byte ${key} was read`)
        return Reflect.get(target, key)
      },
    })
    expect(code(ListContainersRequestSchema, bytes)).toBe('resource_exhausted')
  })
})

describe('what is no message', () => {
  it.each([
    ['a field without a value', ListContainersRequestSchema, [0x0a]],
    ['a text that is cut off', ListContainersRequestSchema, [0x0a, 0x02, 0x61]],
    [
      'a message that ends within a field',
      CreateContainerRequestSchema,
      [0x0a, 0x02, 0x0a, 0x05, 0x61, 0x61],
    ],
    ['field 0', ListContainersRequestSchema, [0x02, 0x00]],
    ['wire type 6', ListContainersRequestSchema, [0x7e]],
    ['a number in the place of a text', ListContainersRequestSchema, [0x08, 0x01]],
    ['a text in the place of a number', CPUStatSchema, [0x0a, 0x01, 0x61]],
    ['a number of eleven bytes', CPUStatSchema, [0x08, ...times(10, 0x80), 0x01]],
    ['a tag beyond 32 bits', CPUStatSchema, [0xff, 0xff, 0xff, 0xff, 0x7f, 0x00]],
    ['a group without an end', ListContainersRequestSchema, [0x7b, 0x78, 0x01]],
    ['an end of another group', ListContainersRequestSchema, [0x7b, 0x84, 0x01]],
    ['half a fixed number', ListContainersRequestSchema, [0x79, 0x00]],
  ] as const)('%s', (_, schema, bytes) => {
    expect(code(schema, Uint8Array.from(bytes))).toBe('invalid_argument')
  })

  it('what the check lets through has the fields that the decoder finds', () => {
    const schemas: DescMessage[] = [
      CreateContainerRequestSchema,
      ApplyRequestSchema,
      CPUStatSchema,
      CPUUsageSchema,
      AnySchema,
    ]
    // Bytes that look like tags and lengths more often than others.
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 0xff }),
      fc.integer({ min: 0, max: 0x32 }),
      fc.constantFrom(0x0a, 0x12, 0x0b, 0x0c, 0x08, 0x80),
    )
    fc.assert(
      fc.property(fc.constantFrom(...schemas), fc.array(byte, { maxLength: 40 }), (schema, numbers) => {
        const bytes = Uint8Array.from(numbers)
        if (code(schema, bytes) !== 'ok') return
        let message: Message
        try {
          message = fromBinary(schema, bytes, { readUnknownFields: false })
        } catch (error) {
          // Texts are not looked at.
          expect(String(error)).toMatch(/UTF-?8|encoded data was not valid/i)
          return
        }
        expect(code(schema, toBinary(schema, message))).toBe('ok')
      }),
      { numRuns: 5000 },
    )
  })

  it('all that the encoder makes is let through', () => {
    const label = fc.tuple(fc.string(), fc.string())
    fc.assert(
      fc.property(
        fc.array(label),
        fc.uint8Array(),
        fc.string(),
        fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
        (labels, value, id, seconds) => {
          const message = create(CreateContainerRequestSchema, {
            container: {
              id,
              labels: Object.fromEntries(labels),
              spec: { typeUrl: id, value },
              createdAt: { seconds, nanos: -1 },
              extensions: { [id]: { typeUrl: 'x', value } },
            },
          })
          expect(code(CreateContainerRequestSchema, toBinary(CreateContainerRequestSchema, message))).toBe(
            'ok',
          )
        },
      ),
    )
  })
})
