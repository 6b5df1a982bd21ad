import type { Event } from '@nsbox/core/events'
import type { Timestamp } from '@nsbox/time'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { print } from '../print.ts'
import { untilInterrupted } from '../until-interrupted.ts'

/** `events` */
export function eventsCommand(): Command {
  return new Command('events')
    .alias('event')
    .description('print events as they happen: time, namespace, topic, JSON')
    .argument('[filters...]')
    .action(
      withSession(async ({ client, signal }, _options, filters: string[]) => {
        await untilInterrupted(signal, async () => {
          for await (const { timestamp, namespace, event } of client.events.subscribe(filters, { signal })) {
            print(`${formatTime(timestamp)} ${namespace} ${event.topic} ${formatPayload(event)}`)
          }
        })
      }),
    )
}

/** `2026-01-02 03:04:05.678 +0000 UTC`, as containerd's client prints times. */
function formatTime(time: Timestamp): string {
  return `${String(time).replace('T', ' ').replace('Z', '')} +0000 UTC`
}

function formatPayload(event: Event): string {
  if ('opaque' in event) {
    return JSON.stringify({
      type_url: event.opaque.typeUrl,
      value: Buffer.from(event.opaque.value).toString('base64'),
    })
  }
  const { labels, ...rest } = event.payload as { labels?: Record<string, string> }
  const shown = labels === undefined || Object.keys(labels).length === 0 ? rest : { ...rest, labels }
  return JSON.stringify(shown)
}
