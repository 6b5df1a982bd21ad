import type { Envelope, OpaqueEvent } from '@nsbox/core/events'
import type { Adaptor } from '@nsbox/filters'

/**
 * Reads fields of events of clients; undefined for unknown types and missing fields. The event is decoded once, when
 * its first field is read.
 */
export type OpaqueFields = (event: OpaqueEvent) => (path: readonly string[]) => string | undefined

/** The fields of an event for filters: `topic`, `namespace`, `event.<field>` and `event.labels.<key>`. */
export function eventAdaptor({ namespace, event }: Envelope, opaqueFields: OpaqueFields): Adaptor {
  let read: ReturnType<OpaqueFields> | undefined
  return {
    field([first, ...rest]) {
      if (first === 'topic') return event.topic
      if (first === 'namespace') return namespace
      if (first !== 'event' || rest.length === 0) return undefined
      if (!('opaque' in event)) return payloadField(event.payload, rest)
      read ??= opaqueFields(event)
      return read(rest)
    },
  }
}

/** Filters use the names of the messages, such as `container_id`. */
function payloadField(payload: object, [field, ...rest]: readonly string[]): string | undefined {
  const name = field?.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  if (name === undefined || !Object.hasOwn(payload, name)) return undefined
  const value: unknown = (payload as Record<string, unknown>)[name]
  if (typeof value !== 'object' || value === null) return rest.length === 0 ? String(value) : undefined
  const key = rest.join('.')
  return Object.hasOwn(value, key) ? String((value as Record<string, unknown>)[key]) : undefined
}
