import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf'
import { NsboxError } from '@nsbox/errors'
import { checkWire } from './check-wire.ts'

/**
 * The most fields of one message, at all levels together: as many as an object with the most labels has, and some more.
 * Decoding so many takes less than 50 ms.
 */
const maxMessageFields = 65_536

/** How many fields a message has, at all levels together, without decoding it. @throws what `decodeMessage` throws */
export function countFields(schema: DescMessage, bytes: Uint8Array): number {
  return checkWire(schema, bytes, maxMessageFields)
}

/**
 * Decodes a message of a peer, within limits.
 *
 * @param options.unknown whether unknown fields are kept, for callers that refuse them; false by default
 * @throws `resource_exhausted` for more than 65,536 fields, or more than 100 levels; `invalid_argument` for bytes that
 * do not decode
 */
export function decodeMessage<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
  { unknown = false }: { readonly unknown?: boolean } = {},
): MessageShape<Desc> {
  countFields(schema, bytes)
  try {
    return fromBinary(schema, bytes, { readUnknownFields: unknown })
  } catch (cause) {
    throw new NsboxError('invalid_argument', `malformed message ${schema.typeName}`, { cause })
  }
}
