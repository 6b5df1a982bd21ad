import { type DescMessage, type DescMethod, ScalarType } from '@bufbuild/protobuf'
import { AnySchema } from '@bufbuild/protobuf/wkt'
import { Events } from '@nsbox/api/gen/services/events/v1/events_pb'

/** The most bytes of one message, either way (docs/behaviour.md §1). */
export const maxMessageBytes = 16 << 20

/** For messages of a few names and numbers. */
const maxPlainBytes = 64 << 10

/** For messages with any number of texts, such as filters. */
const maxTextsBytes = 1 << 20

/** For an event, which may wait for every subscriber. */
const maxEventBytes = 256 << 10

const exceptions: ReadonlyMap<DescMethod, number> = new Map<DescMethod, number>([
  [Events.method.publish, maxEventBytes],
  [Events.method.forward, maxEventBytes],
])

/** The most bytes of a request of a method, by the fields of its message: only a few can be large. */
export function maxRequestBytes(method: DescMethod): number {
  const exception = exceptions.get(method)
  if (exception !== undefined) return exception
  const messages = withParts(method.input)
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
