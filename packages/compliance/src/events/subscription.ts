import type { Envelope, EventPublisher, EventSubscriber } from '@nsbox/core/events'

/** A bus under test. */
export type EventBus = EventPublisher & EventSubscriber

/** Makes a bus without other users; disposing of the subject removes it. */
export type CreateEventBus = () => Promise<{ readonly bus: EventBus } & AsyncDisposable>

const probe = { topic: '/probe', opaque: { typeUrl: 'probe', value: new Uint8Array() } }

/** A subscription that collects events, once it is known to be active. */
export interface Subscription {
  /** The next event that is no probe. */
  next(): Promise<Envelope>
  /** Ends it by its signal; rejects with the error of the iteration. */
  abort(): Promise<unknown>
}

/**
 * Subscribes, and publishes probes until one arrives: nothing else shows that a subscription to a server is active.
 *
 * @param filters must match the probe: add `probes`
 */
export async function subscribed(bus: EventBus, filters: readonly string[] = []): Promise<Subscription> {
  const stop = new AbortController()
  const events = bus.subscribe(filters, { signal: stop.signal })[Symbol.asyncIterator]()
  const take = () => {
    const taken = events.next().then(({ value, done }) => {
      if (done) throw new Error('the subscription ended')
      return value as Envelope
    })
    // Nobody waits for the last one, which fails when the bus is removed.
    taken.catch(() => undefined)
    return taken
  }
  let pending = take()
  let active = false
  const arrival = pending.then(() => {
    active = true
  })
  while (!active) {
    await bus.publish('probes', probe)
    await Promise.race([arrival, new Promise((resolve) => setTimeout(resolve, 20))])
  }
  pending = take()
  return {
    async next() {
      for (;;) {
        const envelope = await pending
        pending = take()
        if (envelope.event.topic !== probe.topic) return envelope
      }
    },
    async abort() {
      stop.abort(new Error('enough'))
      for (;;) {
        await pending
        pending = take()
      }
    },
  }
}

/** A filter that matches the probes of `subscribed`. */
export const probes = 'topic=="/probe"'
