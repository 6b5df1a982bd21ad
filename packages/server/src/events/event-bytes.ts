import type { Envelope } from '@nsbox/core/events'

/** Approximate overhead of an event, besides its texts and bytes. */
const overhead = 512

/** Approximate overhead of each field and each entry of a map. */
const fieldOverhead = 64

/** Approximate bytes of an event in memory. */
export function eventBytes({ event }: Envelope): number {
  if (!('opaque' in event)) return overhead + fieldBytes(event.payload)
  const { typeUrl, value } = event.opaque
  return overhead + event.topic.length + typeUrl.length + value.length
}

function fieldBytes(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (value instanceof Uint8Array) return value.byteLength
  if (typeof value !== 'object' || value === null) return 8
  let bytes = 0
  for (const [name, field] of Object.entries(value)) bytes += fieldOverhead + name.length + fieldBytes(field)
  return bytes
}
