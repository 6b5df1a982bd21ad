import type { Envelope } from '@nsbox/core/events'
import { errorCode } from '@nsbox/errors'
import { Timestamp } from '@nsbox/time'
import { expect, test, vi } from 'vitest'
import { opaqueEventFields } from '../convert/event.ts'
import { EventExchange, type EventExchangeOptions } from './event-exchange.ts'

function exchange(limits: Pick<EventExchangeOptions, 'limits' | 'maxBytes'> = {}) {
  return new EventExchange({ opaqueFields: opaqueEventFields, ...limits })
}

const created = (name: string) =>
  ({ topic: '/images/create', payload: { name, labels: { a: 'b' } } }) as const
const nameOf = ({ event }: Envelope) =>
  'opaque' in event ? event.topic : (event.payload as { name: string }).name

/** Subscribes at once, and takes events as asked. */
function subscribe(events: EventExchange, filters: string[] = [], signal?: AbortSignal) {
  const iterator = events.subscribe(filters, { signal })
  let first: Promise<IteratorResult<Envelope>> | undefined = iterator.next()
  return {
    next: () => {
      const result = first ?? iterator.next()
      first = undefined
      return result
    },
    take: async (count: number) => {
      const taken: Envelope[] = []
      while (taken.length < count) {
        const { value, done } = await (first ?? iterator.next())
        first = undefined
        if (done === true) break
        taken.push(value)
      }
      return taken
    },
    end: () => iterator.return(undefined),
  }
}

test('every subscriber gets the events of all namespaces in the order of publication', async () => {
  const events = exchange()
  const [one, two] = [subscribe(events), subscribe(events)]
  events.announce('a', created('1'))
  await events.publish('b', created('2'))
  events.announce('a', created('3'))
  for (const subscriber of [one, two]) {
    const got = await subscriber.take(3)
    expect(got.map((envelope) => [envelope.namespace, nameOf(envelope)])).toEqual([
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ])
  }
})

test.each([
  [['topic=="/images/create"'], ['1', '2']],
  [['namespace==b'], ['2']],
  [['event.name==1'], ['1']],
  [['event.labels.a==b,namespace==a'], ['1']],
  [['event.labels.missing'], []],
  [['topic~=|^/snapshot|'], []],
])('filters %j choose events', async (filters, names) => {
  const events = exchange()
  const subscriber = subscribe(events, [...filters, 'topic=="/end"'])
  events.announce('a', created('1'))
  events.announce('b', created('2'))
  await events.publish('z', { topic: '/end', opaque: { typeUrl: 'x', value: new Uint8Array() } })
  const got = await subscriber.take(names.length + 1)
  expect(got.map(nameOf)).toEqual([...names, '/end'])
})

test('a filter that does not parse is refused', async () => {
  const failure = await exchange()
    .subscribe(['=='])
    .next()
    .catch((error) => error)
  expect(errorCode(failure)).toBe('invalid_argument')
})

test('D16 a subscriber that falls behind is cut off with an error, and holds up nobody', async () => {
  const events = exchange({ limits: { items: 10, bytes: 1 << 20 } })
  const [slow, quick] = [subscribe(events), subscribe(events)]
  const names: string[] = []
  for (let i = 0; i < 30; i++) {
    events.announce('a', created(String(i)))
    names.push(...(await quick.take(1)).map(nameOf))
  }
  expect(names).toEqual(Array.from({ length: 30 }, (_, i) => String(i)))
  const failure = await slow.take(31).catch((error) => error)
  expect(errorCode(failure)).toBe('resource_exhausted')
})

const published = (bytes: number) =>
  ({ topic: '/x', opaque: { typeUrl: 'x', value: new Uint8Array(bytes) } }) as const

test('E07 a subscriber that falls behind by many bytes is cut off, and what waited for it is free', async () => {
  const events = exchange({ limits: { items: 1000, bytes: 50_000 } })
  const slow = subscribe(events)
  for (let i = 0; i < 100; i++) await events.publish('a', published(10_000))
  expect(events.waitingBytes).toBe(0)
  expect(errorCode(await slow.take(100).catch((error) => error))).toBe('resource_exhausted')
})

test('E07 what waits for many subscribers counts once; beyond the limit for all the slowest is cut off', async () => {
  const events = exchange({ limits: { items: 1000, bytes: 1 << 20 }, maxBytes: 100_000 })
  const subscribers = Array.from({ length: 10 }, () => subscribe(events))
  for (const subscriber of subscribers.slice(1)) subscriber.next()
  for (let i = 0; i < 5; i++) await events.publish('a', published(10_000))
  expect(events.waitingBytes).toBeLessThan(60_000)
  const [slow, ...others] = subscribers
  for (const other of others) expect(await other.take(4)).toHaveLength(4)
  for (let i = 0; i < 10; i++) {
    await events.publish('a', published(10_000))
    for (const other of others) await other.take(1)
  }
  expect(events.waitingBytes).toBeLessThanOrEqual(100_000)
  expect(errorCode(await slow!.take(15).catch((error) => error))).toBe('resource_exhausted')
  expect(events.waitingBytes).toBe(0)
})

test('E07 what a subscriber leaves behind is free', async () => {
  const events = exchange()
  const subscriber = subscribe(events)
  for (let i = 0; i < 5; i++) await events.publish('a', published(10_000))
  await subscriber.take(1)
  expect(events.waitingBytes).toBeGreaterThan(30_000)
  await subscriber.end()
  expect(events.waitingBytes).toBe(0)
})

test('an event that was published is decoded once, whatever many filters ask of it', async () => {
  let reads = 0
  const events = new EventExchange({
    opaqueFields: () => {
      reads++
      return () => 'x'
    },
  })
  const subscribers = Array.from({ length: 5 }, () => subscribe(events, ['event.a==x', 'event.b==x']))
  await events.publish('a', published(1))
  for (const subscriber of subscribers) await subscriber.take(1)
  expect(reads).toBe(1)
})

test('D22 each event is later than the one before, though the clock is set back', async () => {
  const events = exchange()
  const subscriber = subscribe(events)
  const { now } = Date
  try {
    events.announce('a', created('1'))
    Date.now = () => now() - 3_600_000
    events.announce('a', created('2'))
  } finally {
    Date.now = now
  }
  const [first, second] = await subscriber.take(2)
  expect(second!.timestamp > first!.timestamp).toBe(true)
})

test('it is heard while there is a subscriber', async () => {
  const events = exchange()
  expect(events.isHeard).toBe(false)
  const subscriber = subscribe(events)
  expect(events.isHeard).toBe(true)
  events.announce('a', created('1'))
  await subscriber.take(1)
  await subscriber.end()
  expect(events.isHeard).toBe(false)
})

test('a subscription ends with its signal, and then costs nothing', async () => {
  const events = exchange()
  const controller = new AbortController()
  const subscriber = subscribe(events, [], controller.signal)
  controller.abort()
  await expect(subscriber.next()).rejects.toThrow('aborted')
})

test.each(['', 'images/create', '/', '/a//b', '/a/ b', `/${'x'.repeat(80)}`])(
  'topic %j is refused',
  async (topic) => {
    const failure = await exchange()
      .publish('a', { topic, opaque: { typeUrl: 'x', value: new Uint8Array() } })
      .catch((error) => error)
    expect(errorCode(failure)).toBe('invalid_argument')
  },
)

test('a forwarded event keeps its own time and needs a namespace', async () => {
  const events = exchange()
  const subscriber = subscribe(events)
  const event = { topic: '/x', opaque: { typeUrl: 'x', value: new Uint8Array([1]) } }
  const envelope = { timestamp: new Timestamp(5, 6), namespace: 'a', event }
  await events.forward(envelope)
  expect(await subscriber.take(1)).toEqual([envelope])
  const failure = await events.forward({ ...envelope, namespace: '' }).catch((error) => error)
  expect(errorCode(failure)).toBe('failed_precondition')
})

test('closing ends subscriptions and refuses new ones', async () => {
  const events = exchange()
  const subscriber = subscribe(events)
  events.close()
  expect(errorCode(await subscriber.next().catch((error) => error))).toBe('unavailable')
  expect(
    errorCode(
      await events
        .subscribe()
        .next()
        .catch((error) => error),
    ),
  ).toBe('unavailable')
})

test('what happened before anybody could subscribe goes to those who come soon, before all else', async () => {
  const events = exchange()
  events.announceMissed('a', created('missed'))
  events.announceMissed('b', created('of another namespace'))
  const [one, two] = [subscribe(events, ['namespace==a']), subscribe(events, ['namespace==a'])]
  events.announce('a', created('now'))
  for (const subscriber of [one, two]) {
    expect((await subscriber.take(2)).map(nameOf)).toEqual(['missed', 'now'])
  }
})

test('what was missed is not told for ever', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    const events = exchange()
    events.announceMissed('a', created('missed'))
    vi.advanceTimersByTime(60_000)
    const subscriber = subscribe(events)
    events.announce('a', created('now'))
    expect((await subscriber.take(1)).map(nameOf)).toEqual(['now'])
  } finally {
    vi.useRealTimers()
  }
})
