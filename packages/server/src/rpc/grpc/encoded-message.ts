import { type DescField, type DescMessage, type Message, ScalarType, toBinary } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** Up to this size bytes are copied, which is cheaper than writing twice. */
const smallBytes = 16 * 1024

/** A message as bytes. */
export interface EncodedMessage {
  readonly length: number
  /** Small enough to be copied behind other bytes. */
  readonly start: Uint8Array
  /** Large. */
  readonly rest: Uint8Array | undefined
}

/**
 * Encodes a message. A large value of bytes that comes last, as in the pieces of a blob, is not copied, and so must not
 * change before it has been sent.
 */
export function encodeMessage(schema: DescMessage, message: Message): EncodedMessage {
  const field = lastBytes(schema)
  const values = message as Message & Readonly<Record<string, unknown>>
  const rest = field && values[field.localName]
  const isLarge = rest instanceof Uint8Array && rest.length > smallBytes
  if (field === undefined || !isLarge || message.$unknown !== undefined) {
    const all = toBinary(schema, message)
    const { length } = all
    return length > smallBytes
      ? { length, start: nothing, rest: all }
      : { length, start: all, rest: undefined }
  }
  const others = toBinary(schema, { ...message, [field.localName]: nothing } as Message)
  const start = new BinaryWriter()
    .raw(others)
    .tag(field.number, WireType.LengthDelimited)
    .uint32(rest.length)
    .finish()
  return { length: start.length + rest.length, start, rest }
}

const nothing = new Uint8Array()

const known = new WeakMap<DescMessage, DescField | undefined>()

/** The field that is encoded last, if it is a single value of bytes that is left out when it is empty. */
function lastBytes(schema: DescMessage): DescField | undefined {
  if (known.has(schema)) return known.get(schema)
  const last = schema.fields.toSorted((a, b) => a.number - b.number).at(-1)
  const isFitting =
    last?.fieldKind === 'scalar' &&
    last.scalar === ScalarType.BYTES &&
    last.oneof === undefined &&
    last.presence === implicit
  known.set(schema, isFitting ? last : undefined)
  return isFitting ? last : undefined
}

/** `FeatureSet_FieldPresence.IMPLICIT` of the descriptors, whose module is large. */
const implicit = 2
