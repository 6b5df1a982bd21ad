import type { Envelope, OpaqueEvent } from '@nsbox/core/events'
import type { Adaptor } from '@nsbox/filters'

/** Reads a field of an event whose type the domains do not know; undefined if the type is unknown or has no such field. */
export type OpaqueField = (event: OpaqueEvent, path: readonly string[]) => string | undefined

/** What a filter sees of an event: `topic`, `namespace`, `event.<field>` and `event.labels.<key>`. */
export function eventAdaptor({ namespace, event }: Envelope, opaqueField: OpaqueField): Adaptor {
  return {
    field([first, ...rest]) {
      if (first === 'topic') return event.topic
      if (first === 'namespace') return namespace
      if (first !== 'event' || rest.length === 0) return undefined
      return 'opaque' in event ? opaqueField(event, rest) : payloadField(event.payload, rest)
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
