import type { Envelope, Event } from '@nsbox/core/events'
import { errorCode } from '@nsbox/errors'
import { digestOf } from '@nsbox/oci'
import { type Containerd, startContainerd } from '@nsbox/testing'
import { Timestamp } from '@nsbox/time'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../client.ts'

let containerd: Containerd

beforeAll(async () => {
  containerd = await startContainerd()
})
afterAll(() => containerd?.[Symbol.asyncDispose]())

/** Collects what a subscription brings while `work` runs, until `enough` of it has come. */
async function during(filters: string[], work: () => Promise<void>, enough: number): Promise<Envelope[]> {
  await using client = connect({ address: containerd.address, namespace: 'watcher' })
  const ready: Event = { topic: '/ready', opaque: { typeUrl: 'ready', value: new Uint8Array() } }
  // There is no sign that a subscription has begun but its first event.
  const announcing = setInterval(() => void client.events.publish('watcher', ready).catch(() => {}), 10)
  const envelopes: Envelope[] = []
  let working: Promise<void> | undefined
  try {
    for await (const envelope of client.events.subscribe([...filters, 'topic=="/ready"'])) {
      if (envelope.event.topic !== '/ready') envelopes.push(envelope)
      if (envelopes.length === enough) break
      if (working) continue
      clearInterval(announcing)
      working = work()
    }
  } finally {
    clearInterval(announcing)
  }
  await working
  return envelopes
}

test('tells what happens in all namespaces, typed where nsbox knows it', async () => {
  await using client = connect({ address: containerd.address, namespace: 'typed' })
  const digest = digestOf('content')
  const envelopes = await during(
    ['namespace==typed'],
    async () => {
      await client.namespaces.create({ name: 'typed', labels: { a: 'b' } })
      await client.images.create({ name: 'i', target: { mediaType: 'a/b', digest, size: 7 } })
      await client.images.delete('i', { sync: true })
    },
    3,
  )
  const before = Date.now() - 60_000
  for (const { namespace, timestamp } of envelopes) {
    expect(namespace).toBe('typed')
    expect(timestamp.epochMilliseconds).toBeGreaterThan(before)
  }
  expect(envelopes.map(({ event }) => event)).toMatchObject([
    { topic: '/namespaces/create', payload: { name: 'typed', labels: { a: 'b' } } },
    { topic: '/images/create', payload: { name: 'i' } },
    { topic: '/images/delete', payload: { name: 'i' } },
  ])
})

test('publishes and forwards events, known or not', async () => {
  await using client = connect({ address: containerd.address, namespace: 'publisher' })
  const opaque: Event = {
    topic: '/mine',
    opaque: { typeUrl: 'example.com/Mine', value: new Uint8Array([1]) },
  }
  const known: Event = { topic: '/images/delete', payload: { name: 'gone' } }
  const timestamp = Timestamp.parse('2020-01-02T03:04:05.678901234Z')
  const envelopes = await during(
    ['namespace==elsewhere', 'namespace==far'],
    async () => {
      await client.events.publish('elsewhere', opaque)
      await client.events.forward({ timestamp, namespace: 'far', event: known })
    },
    2,
  )
  expect(envelopes).toMatchObject([
    { namespace: 'elsewhere', event: opaque },
    { timestamp, namespace: 'far', event: known },
  ])
})

test('refuses what is no topic', async () => {
  await using client = connect({ address: containerd.address, namespace: 'refused' })
  const event: Event = { topic: 'mine', opaque: { typeUrl: 'x', value: new Uint8Array() } }
  const publishing = client.events.publish('refused', event)
  expect(await publishing.then(() => 'published', errorCode)).toBe('invalid_argument')
})

test('a filter that does not parse ends the subscription', async () => {
  await using client = connect({ address: containerd.address, namespace: 'refused' })
  const subscribing = client.events.subscribe(['topic=='])[Symbol.asyncIterator]().next()
  await expect(subscribing).rejects.toThrow('filters: parse error')
})
