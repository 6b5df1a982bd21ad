import type { DomainEvent, Event } from '@nsbox/core/events'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import { type CreateEventBus, probes, subscribed } from './subscription.ts'

export type { CreateEventBus, EventBus } from './subscription.ts'

const created = (name: string): DomainEvent => ({ topic: '/images/create', payload: { name, labels: {} } })

/**
 * Declares, for vitest, the tests of everything that a bus of events promises.
 *
 * @param name says which bus it is, in the tests' names
 * @param create makes a bus for each test
 */
export function eventBusSuite(name: string, create: CreateEventBus): void {
  describe(`event bus: ${name}`, () => {
    const test = subjectTest(create)

    test('gives every subscriber what was published, in order, with its namespace', async ({ bus }) => {
      const subscriptions = [await subscribed(bus), await subscribed(bus)]
      await bus.publish('one', created('a'))
      await bus.publish('two', created('b'))
      await bus.publish('one', { topic: '/namespaces/delete', payload: { name: 'gone' } })
      for (const subscription of subscriptions) {
        expect(await subscription.next()).toMatchObject({ namespace: 'one', event: created('a') })
        expect(await subscription.next()).toMatchObject({ namespace: 'two', event: created('b') })
        expect(await subscription.next()).toMatchObject({ event: { topic: '/namespaces/delete' } })
      }
    })

    test('gives each event a later time than the one before', async ({ bus }) => {
      const subscription = await subscribed(bus)
      for (const image of ['a', 'b', 'c']) await bus.publish('one', created(image))
      const times: number[] = []
      for (let i = 0; i < 3; i++) times.push((await subscription.next()).timestamp.epochMicroseconds)
      expect(times[1]).toBeGreaterThan(times[0]!)
      expect(times[2]).toBeGreaterThan(times[1]!)
      expect(Math.abs(Date.now() - times[0]! / 1000)).toBeLessThan(60_000)
    })

    test('keeps a payload that it does not know as it is', async ({ bus }) => {
      const subscription = await subscribed(bus)
      const event: Event = {
        topic: '/custom/thing',
        opaque: { typeUrl: 'example.Thing', value: new Uint8Array([0, 255, 1]) },
      }
      await bus.publish('one', event)
      const received = (await subscription.next()).event as typeof event & { opaque: { value: Uint8Array } }
      expect(received).toMatchObject({ topic: event.topic, opaque: { typeUrl: 'example.Thing' } })
      expect([...received.opaque.value]).toEqual([0, 255, 1])
    })

    test('filters by topic, namespace and field', async ({ bus }) => {
      const byTopic = await subscribed(bus, [probes, 'topic~="^/namespaces/"'])
      const byNamespace = await subscribed(bus, [probes, 'namespace==two'])
      const byField = await subscribed(bus, [probes, 'topic=="/images/create",event.name==b'])
      await bus.publish('one', created('a'))
      await bus.publish('one', created('b'))
      await bus.publish('two', { topic: '/namespaces/create', payload: { name: 'two', labels: {} } })
      expect((await byTopic.next()).event).toMatchObject({ topic: '/namespaces/create' })
      expect((await byNamespace.next()).event).toMatchObject({ topic: '/namespaces/create' })
      expect((await byField.next()).event).toMatchObject(created('b'))
    })

    test('gives nothing that was published before', async ({ bus }) => {
      await bus.publish('one', created('early'))
      const subscription = await subscribed(bus)
      await bus.publish('one', created('late'))
      expect((await subscription.next()).event).toMatchObject(created('late'))
    })

    test('ends a subscription by its signal, and goes on for the others', async ({ bus }) => {
      const [first, second] = [await subscribed(bus), await subscribed(bus)]
      await expect(first.abort()).rejects.toThrow('enough')
      await bus.publish('one', created('a'))
      expect((await second.next()).event).toMatchObject(created('a'))
    })

    test('refuses what is malformed', async ({ bus }) => {
      for (const topic of ['', 'images', '/', '/images//create', '/im ages']) {
        await expectCode(bus.publish('one', { ...created('a'), topic } as Event), 'invalid_argument')
      }
      await expectCode(bus.publish('not/valid', created('a')), 'invalid_argument')
      const subscribing = bus.subscribe(['topic=='])[Symbol.asyncIterator]()
      await expectCode(subscribing.next(), 'invalid_argument')
    })
  })
}
