import { eventBusSuite } from '@nsbox/compliance/events'
import { opaqueEventFields } from '../convert/event.ts'
import { EventExchange } from './event-exchange.ts'

eventBusSuite('exchange', async () => {
  const bus = new EventExchange({ opaqueFields: opaqueEventFields })
  return { bus, [Symbol.asyncDispose]: async () => bus.close() }
})
