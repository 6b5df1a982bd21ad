import { timestampMs } from '@bufbuild/protobuf/wkt'
import type { Envelope } from '@nsbox/api/gen/types/event_pb'
import { type Signal, signal } from '@preact/signals'
import { onEvent } from '../connection/link.ts'
import { shortened } from '../format/shortened.ts'
import { eventText } from './event-text.ts'

/** An event as it is shown. */
export interface RecentEvent {
  readonly key: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly namespace: string
  readonly topic: string
  readonly text: string
}

/** Most events kept; the oldest leave. */
const most = 500

/** What has happened since the page was opened, the newest first. */
export const recentEvents: Signal<readonly RecentEvent[]> = signal([])

let count = 0
let waiting: RecentEvent[] = []

/** Keeps events, from now on. Many at a time are shown at once. */
export function recordEvents(): void {
  onEvent((event) => {
    if (waiting.length === 0) setTimeout(show, 100)
    waiting.push(recent(event))
    if (waiting.length > most) waiting.shift()
  })
}

function show(): void {
  recentEvents.value = [...waiting.reverse(), ...recentEvents.value].slice(0, most)
  waiting = []
}

function recent({ timestamp, namespace, topic, event }: Envelope): RecentEvent {
  return {
    key: count++,
    at: timestamp ? timestampMs(timestamp) : Date.now(),
    namespace: shortened(namespace, 80),
    topic: shortened(topic, 80),
    text: event === undefined ? '' : shortened(eventText(event), 400),
  }
}
