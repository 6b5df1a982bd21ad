import type { ConnectRouter } from '@connectrpc/connect'
import { Events } from '@nsbox/api/gen/services/events/v1/events_pb'
import { permits } from '../access/access.ts'
import { fromEnvelopeMessage, fromEventMessage, toEnvelopeMessage } from '../convert/event.ts'
import type { EventExchange } from '../events/event-exchange.ts'
import { accessOf } from '../rpc/call-access.ts'
import { namespaceOf } from '../rpc/namespace-views.ts'

/** Serves the events of all namespaces. */
export function eventsRoutes(router: ConnectRouter, events: EventExchange): void {
  router.service(Events, {
    async publish({ topic, event }, context) {
      await events.publish(namespaceOf(context), fromEventMessage(topic, event), context)
      return {}
    },
    async forward({ envelope }, context) {
      await events.forward(fromEnvelopeMessage(envelope), context)
      return {}
    },
    async *subscribe({ filters }, context) {
      const sees = (namespace: string) => permits(accessOf(context), namespace, 'read')
      for await (const envelope of events.subscribe(filters, { sees, signal: context.signal }))
        yield toEnvelopeMessage(envelope)
    },
  })
}
