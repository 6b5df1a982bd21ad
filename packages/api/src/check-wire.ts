import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { NsboxError } from '@nsbox/errors'

/** The most levels of messages within messages. */
const maxDepth = 100

/** Wire types (Protocol Buffers, "Encoding"). */
const varint = 0
const fixed64 = 1
const delimited = 2
const startGroup = 3
const endGroup = 4
const fixed32 = 5

/** The encoding of a field. */
interface FieldShape {
  readonly wireType: number
  /** Wire type of each value in a packed field. */
  readonly packedType?: number
  /** The message, or map entry, that the field holds. */
  readonly message?: Shape
}

type Shape = Map<number, FieldShape>

/**
 * Counts the fields of an encoded message before it is decoded. A field can take two bytes encoded and a hundred in
 * memory.
 *
 * Accepts only encodings that the decoder reads in the same way. The decoder checks neither the wire type of a known
 * field nor that a field ends within its message.
 *
 * @param maxFields the most fields at all levels together, unknown ones and each of many values included
 * @returns how many there are
 * @throws `resource_exhausted` for more fields, or more than 100 levels; `invalid_argument` for what is no such message
 */
export function checkWire(schema: DescMessage, bytes: Uint8Array, maxFields: number): number {
  const check = new WireCheck(schema.typeName, bytes, maxFields)
  check.message(shapeOf(schema), bytes.length, 0)
  return check.fields
}

class WireCheck {
  readonly #name: string
  readonly #bytes: Uint8Array
  readonly #maxFields: number
  fields = 0
  #at = 0

  constructor(name: string, bytes: Uint8Array, maxFields: number) {
    this.#name = name
    this.#bytes = bytes
    this.#maxFields = maxFields
  }

  message(shape: Shape | undefined, end: number, depth: number, group?: number): void {
    if (depth >= maxDepth) throw this.#exhausted(`more than ${maxDepth} levels`)
    while (this.#at < end) {
      const tag = this.#length(end)
      const number = tag >>> 3
      const wireType = tag & 7
      if (number === 0) throw this.#malformed('field number 0')
      if (wireType === endGroup) {
        if (number !== group) throw this.#malformed('an end of no group')
        return
      }
      this.#count(1)
      const field = shape?.get(number)
      if (field === undefined) this.#value(wireType, end, depth, number)
      else this.#known(field, wireType, end, depth, number)
    }
    if (group !== undefined) throw this.#malformed('a group without an end')
  }

  #known(field: FieldShape, wireType: number, end: number, depth: number, number: number): void {
    if (field.packedType !== undefined && wireType === delimited) this.#packed(field.packedType, end)
    else if (wireType !== field.wireType) throw this.#malformed(`wire type ${wireType} of field ${number}`)
    else if (field.message === undefined) this.#value(wireType, end, depth, number)
    else this.message(field.message, this.#inner(end), depth + 1)
  }

  #packed(wireType: number, end: number): void {
    const inner = this.#inner(end)
    if (wireType === varint) {
      for (; this.#at < inner; this.#count(1)) this.#varint(inner)
      return
    }
    const values = (inner - this.#at) / (wireType === fixed32 ? 4 : 8)
    if (!Number.isInteger(values)) throw this.#malformed('cut off')
    this.#count(values)
    this.#at = inner
  }

  #value(wireType: number, end: number, depth: number, number: number): void {
    if (wireType === varint) this.#varint(end)
    else if (wireType === startGroup) this.message(undefined, end, depth + 1, number)
    else if (wireType === delimited) this.#at = this.#inner(end)
    else if (wireType === fixed64) this.#at += 8
    else if (wireType === fixed32) this.#at += 4
    else throw this.#malformed(`wire type ${wireType}`)
    if (this.#at > end) throw this.#malformed('cut off')
  }

  /** Where a length-delimited value ends. */
  #inner(end: number): number {
    const length = this.#length(end)
    if (this.#at + length > end) throw this.#malformed('cut off')
    return this.#at + length
  }

  /** Skips a varint of up to ten bytes. */
  #varint(end: number): void {
    const last = Math.min(end, this.#at + 10)
    while (this.#at < last) if (this.#bytes[this.#at++]! < 0x80) return
    throw this.#malformed('a number without an end')
  }

  /** A number of 32 bits. */
  #length(end: number): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 28; factor *= 128) {
      if (this.#at >= end) throw this.#malformed('cut off')
      const byte = this.#bytes[this.#at++]!
      value += (byte & 0x7f) * factor
      if (byte < 0x80) {
        if (value > 0xffffffff) break
        return value
      }
    }
    throw this.#malformed('a number beyond 32 bits')
  }

  #count(fields: number): void {
    this.fields += fields
    if (this.fields > this.#maxFields) throw this.#exhausted(`more than ${this.#maxFields} fields`)
  }

  #exhausted(what: string): NsboxError {
    return new NsboxError('resource_exhausted', `message ${this.#name} has ${what}`)
  }

  #malformed(what: string): NsboxError {
    return new NsboxError('invalid_argument', `malformed message ${this.#name}: ${what} at byte ${this.#at}`)
  }
}

const shapes = new WeakMap<DescMessage, Shape>()

function shapeOf(schema: DescMessage): Shape {
  let shape = shapes.get(schema)
  if (shape === undefined) {
    shape = new Map()
    // Stored before its fields are looked at, since messages may be recursive.
    shapes.set(schema, shape)
    for (const field of schema.fields) shape.set(field.number, fieldShape(field))
  }
  return shape
}

function fieldShape(field: DescField): FieldShape {
  switch (field.fieldKind) {
    case 'scalar':
      return { wireType: scalarWireType(field.scalar) }
    case 'enum':
      return { wireType: varint }
    case 'message':
      return messageShape(field.message, field.delimitedEncoding)
    case 'list': {
      if (field.listKind === 'message') return messageShape(field.message, field.delimitedEncoding)
      const wireType = field.listKind === 'enum' ? varint : scalarWireType(field.scalar)
      return wireType === delimited ? { wireType } : { wireType, packedType: wireType }
    }
    case 'map':
      return { wireType: delimited, message: entryShape(field) }
  }
}

function messageShape(schema: DescMessage, isGroup: boolean): FieldShape {
  // No message of the API has a group, so none is accepted.
  if (isGroup) throw new TypeError(`${schema.typeName} is encoded as a group`)
  return { wireType: delimited, message: shapeOf(schema) }
}

function entryShape(field: DescField & { fieldKind: 'map' }): Shape {
  const value: FieldShape =
    field.mapKind === 'message'
      ? messageShape(field.message, false)
      : { wireType: field.mapKind === 'enum' ? varint : scalarWireType(field.scalar) }
  return new Map([
    [1, { wireType: scalarWireType(field.mapKey) }],
    [2, value],
  ])
}

function scalarWireType(type: ScalarType): number {
  switch (type) {
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return fixed64
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return fixed32
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return delimited
    default:
      return varint
  }
}
