import { type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { AnySchema } from '@bufbuild/protobuf/wkt'

/** The most bytes of one message, either way (docs/behaviour.md §1). */
export const maxMessageBytes = 16 << 20

/** For messages of a few names and numbers. */
const maxPlainBytes = 64 << 10

/** For messages with any number of texts, such as filters. */
const maxTextsBytes = 1 << 20

/** The most bytes of a message of a type, by its fields: only a few types can be large. */
export function messageLimit(schema: DescMessage): number {
  const messages = withParts(schema)
  const fields = [...messages].flatMap((message) => message.fields)
  if (messages.has(AnySchema)) return maxMessageBytes
  if (fields.some((field) => field.fieldKind === 'map' || isLarge(field))) return maxMessageBytes
  return fields.some((field) => field.fieldKind === 'list') ? maxTextsBytes : maxPlainBytes
}

function isLarge(field: DescMessage['fields'][number]): boolean {
  if (field.fieldKind === 'list') return field.listKind === 'message'
  return field.fieldKind === 'scalar' && field.scalar === ScalarType.BYTES
}

/** A message type and all types that can be nested in it. */
function withParts(schema: DescMessage, found: Set<DescMessage> = new Set()): Set<DescMessage> {
  if (found.has(schema)) return found
  found.add(schema)
  for (const field of schema.fields) if (field.message !== undefined) withParts(field.message, found)
  return found
}
