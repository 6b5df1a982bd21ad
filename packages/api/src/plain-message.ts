import { create, type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf'
import {
  type Any,
  AnySchema,
  type Timestamp as TimestampMessage,
  TimestampSchema,
} from '@bufbuild/protobuf/wkt'
import { Timestamp } from '@nsbox/time'
import { toBigInt, toSafeNumber } from './safe-integer.ts'
import { fromTimestamp, toTimestamp } from './timestamp.ts'

/** Fields of a message by their names in code: numbers, texts, bytes, times, and objects and lists of them. */
export type PlainMessage = Readonly<Record<string, unknown>>

/**
 * Makes a message from a domain's plain data: `Timestamp` of `@nsbox/time` for timestamps, numbers for integers of 64
 * bits, and `{ typeUrl, value }` for an Any. Absent fields get their defaults.
 *
 * @throws invalid_argument for a number that the message cannot hold
 */
export function fromPlain(schema: DescMessage, plain: PlainMessage): Message {
  const fields: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(plain)) {
    const field = schema.field[name]
    if (field === undefined) throw new Error(`${schema.typeName} has no field ${name}`)
    if (value !== undefined) fields[name] = packField(field, value)
  }
  return create(schema, fields)
}

/**
 * The plain data of a message; the inverse of `fromPlain`. A message in it that is absent, except an Any, comes with
 * its defaults.
 */
export function toPlain(schema: DescMessage, message: Message | undefined): PlainMessage {
  const values = (message ?? create(schema)) as unknown as Record<string, unknown>
  const plain: Record<string, unknown> = {}
  for (const field of schema.fields) {
    const value = unpackField(field, values[field.localName])
    if (value !== undefined) plain[field.localName] = value
  }
  return plain
}

function packField(field: DescField, value: unknown): unknown {
  switch (field.fieldKind) {
    case 'scalar':
      return is64Bit(field.scalar) ? toBigInt(value as number, field.name) : value
    case 'message':
      return packMessage(field.message, value)
    case 'list':
      if (field.listKind !== 'message') return [...(value as unknown[])]
      return (value as unknown[]).map((item) => packMessage(field.message, item))
    default:
      return value
  }
}

function packMessage(schema: DescMessage, value: unknown): unknown {
  if (schema === TimestampSchema) return toTimestamp(value as Timestamp)
  if (schema === AnySchema) return create(AnySchema, value as Pick<Any, 'typeUrl' | 'value'>)
  return fromPlain(schema, value as PlainMessage)
}

function unpackField(field: DescField, value: unknown): unknown {
  switch (field.fieldKind) {
    case 'scalar':
      return is64Bit(field.scalar) ? toSafeNumber(value as bigint, field.name) : value
    case 'message':
      return unpackMessage(field.message, value as Message | undefined, field.name)
    case 'list':
      if (field.listKind !== 'message') return value
      return (value as Message[]).map((item) => unpackMessage(field.message, item, field.name))
    case 'map':
      // Without a prototype, so that a label named `constructor` is a label like any other.
      return Object.assign(Object.create(null), value)
    default:
      return value
  }
}

function unpackMessage(schema: DescMessage, message: Message | undefined, name: string): unknown {
  if (schema === TimestampSchema)
    return fromTimestamp(message as TimestampMessage | undefined, name) ?? Timestamp.epoch
  if (schema !== AnySchema) return toPlain(schema, message)
  if (message === undefined) return undefined
  const { typeUrl, value } = message as Any
  return { typeUrl, value }
}

function is64Bit(scalar: ScalarType): boolean {
  return scalar === ScalarType.INT64 || scalar === ScalarType.UINT64
}
