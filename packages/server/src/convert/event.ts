import {
  create,
  type DescField,
  type DescMessage,
  isMessage,
  type Message,
  type MessageShape,
} from '@bufbuild/protobuf'
import { reflect } from '@bufbuild/protobuf/reflect'
import { AnySchema } from '@bufbuild/protobuf/wkt'
import { anyRegistry, fromTimestamp, toTimestamp, unpackKnownAny } from '@nsbox/api'
import { packEventPayload } from '@nsbox/api/event-payload'
import { EnvelopeSchema } from '@nsbox/api/gen/types/event_pb'
import type { Envelope, OpaqueEvent } from '@nsbox/core/events'
import { NsboxError } from '@nsbox/errors'

type Any = MessageShape<typeof AnySchema>
type EnvelopeMessage = MessageShape<typeof EnvelopeSchema>

/** The message of an envelope. */
export function toEnvelopeMessage({ timestamp, namespace, event }: Envelope): EnvelopeMessage {
  return create(EnvelopeSchema, {
    timestamp: toTimestamp(timestamp),
    namespace,
    topic: event.topic,
    event: 'opaque' in event ? create(AnySchema, event.opaque) : packEventPayload(event.topic, event.payload),
  })
}

/** The payload that a client publishes, kept verbatim. @throws `invalid_argument` if there is none */
export function fromEventMessage(topic: string, event: Any | undefined): OpaqueEvent {
  if (event === undefined) throw new NsboxError('invalid_argument', 'event must be set')
  // A copy, since it may be kept for long and is a view of a larger buffer.
  return { topic, opaque: { typeUrl: event.typeUrl, value: new Uint8Array(event.value) } }
}

/** The envelope in a message. @throws `invalid_argument` if there is none, or it has no time or event */
export function fromEnvelopeMessage(message: EnvelopeMessage | undefined): Envelope {
  const timestamp = fromTimestamp(message?.timestamp, 'envelope.Timestamp')
  if (message === undefined || timestamp === undefined) {
    throw new NsboxError('invalid_argument', 'envelope and its timestamp must be set')
  }
  return { timestamp, namespace: message.namespace, event: fromEventMessage(message.topic, message.event) }
}

/**
 * Reads fields of a client's event, for filters: scalars, and entries of maps of texts. Undefined for unknown types and
 * missing fields.
 */
export function opaqueEventFields({ opaque }: OpaqueEvent): (path: readonly string[]) => string | undefined {
  const message = known(opaque)
  const schema = message && anyRegistry.getMessage(message.$typeName)
  if (message === undefined || schema === undefined) return () => undefined
  return ([name, ...rest]) => {
    const field = schema.fields.find((candidate) => candidate.name === name)
    return field && fieldText(schema, message, field, rest)
  }
}

function fieldText(
  schema: DescMessage,
  message: Message,
  field: DescField,
  rest: readonly string[],
): string | undefined {
  const value = reflect(schema, message).get(field)
  if (field.fieldKind === 'scalar' && rest.length === 0) return String(value) || undefined
  if (field.fieldKind !== 'map' || field.mapKind !== 'scalar') return undefined
  const entry: unknown = (value as ReadonlyMap<unknown, unknown>).get(rest.join('.'))
  return entry === undefined ? undefined : String(entry)
}

/** Malformed bytes are delivered unchanged, but match no filter on fields. */
function known(any: OpaqueEvent['opaque']): Message | undefined {
  try {
    const message = unpackKnownAny(any)
    return isMessage(message) ? message : undefined
  } catch {
    return undefined
  }
}
