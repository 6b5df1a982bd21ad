import { eventBusSuite } from '@nsbox/core/events/testsuite'
import { opaqueEventField } from '../convert/event.ts'
import { EventExchange } from './event-exchange.ts'

eventBusSuite('exchange', async () => {
  const bus = new EventExchange({ opaqueField: opaqueEventField })
  return { bus, [Symbol.asyncDispose]: async () => bus.close() }
})
