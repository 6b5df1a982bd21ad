import type { Envelope, OpaqueEvent } from '@nsbox/core/events'
import type { Adaptor } from '@nsbox/filters'

/**
 * What reads fields of an event whose type the domains do not know: undefined if the type is unknown or has no such field.
 * The event is decoded once, for the first of them.
 */
export type OpaqueFields = (event: OpaqueEvent) => (path: readonly string[]) => string | undefined

/** What a filter sees of an event: `topic`, `namespace`, `event.<field>` and `event.labels.<key>`. */
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

/** Filters name fields as the messages do, `container_id`. */
function payloadField(payload: object, [field, ...rest]: readonly string[]): string | undefined {
  const name = field?.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  if (name === undefined || !Object.hasOwn(payload, name)) return undefined
  const value: unknown = (payload as Record<string, unknown>)[name]
  if (typeof value !== 'object' || value === null) return rest.length === 0 ? String(value) : undefined
  const key = rest.join('.')
  return Object.hasOwn(value, key) ? String((value as Record<string, unknown>)[key]) : undefined
}
