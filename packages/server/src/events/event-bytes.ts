import type { Envelope } from '@nsbox/core/events'

/** What an event takes besides its texts and bytes, about. */
const overhead = 512

/** What each field and each entry of a map takes, about. */
const fieldOverhead = 64

/** How many bytes an event takes in memory, about. */
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
