import { setTimeout } from 'node:timers/promises'
import { errorCode } from '@nsbox/errors'
import { expect, test } from 'vitest'
import { MessageStream, type PackedMessage } from './message-stream.ts'
import { StreamRegistry } from './stream-registry.ts'

const message = (n: number): PackedMessage => ({ typeUrl: 't', value: new Uint8Array([n]) })

function stream(...incoming: number[]): MessageStream {
  return new MessageStream(
    (async function* () {
      for (const n of incoming) yield message(n)
    })(),
  )
}

async function refusal(work: () => unknown): Promise<string> {
  try {
    await work()
  } catch (error) {
    return errorCode(error)
  }
  throw new Error('nothing was thrown')
}

test('a stream is claimed once, in its own namespace', async () => {
  const streams = new StreamRegistry()
  const offered = stream()
  streams.offer('a', '1', offered)
  expect(await refusal(() => streams.claim('b', '1'))).toBe('not_found')
  expect(streams.claim('a', '1')).toBe(offered)
  expect(await refusal(() => streams.claim('a', '1'))).toBe('not_found')
  offered.close()
})

test('an id that waits cannot be offered again; one that was claimed can', async () => {
  const streams = new StreamRegistry()
  const [one, two] = [stream(), stream()]
  streams.offer('a', '1', one)
  expect(await refusal(() => streams.offer('a', '1', two))).toBe('already_exists')
  streams.claim('a', '1')
  streams.offer('a', '1', two)
  one.close()
  expect(streams.claim('a', '1')).toBe(two)
  two.close()
})

test('E04 an id is bounded in length', async () => {
  const streams = new StreamRegistry()
  const offered = stream()
  expect(await refusal(() => streams.offer('a', 'i'.repeat(1025), offered))).toBe('invalid_argument')
  streams.offer('a', 'i'.repeat(1024), offered)
  offered.close()
})

test('a stream that ends is not there any more', async () => {
  const streams = new StreamRegistry()
  const offered = stream()
  streams.offer('a', '1', offered)
  offered.close()
  expect(await refusal(() => streams.claim('a', '1'))).toBe('not_found')
})

test('D17 a stream that nobody uses ends in time', async () => {
  const streams = new StreamRegistry({ patience: 10 })
  const offered = stream()
  streams.offer('a', '1', offered)
  const outgoing = offered.outgoing[Symbol.asyncIterator]()
  expect(await refusal(() => outgoing.next())).toBe('deadline_exceeded')
  expect(await refusal(() => streams.claim('a', '1'))).toBe('not_found')
})

test('a stream that is used may last', async () => {
  const streams = new StreamRegistry({ patience: 10 })
  streams.offer('a', '1', stream())
  const claimed = streams.claim('a', '1')
  await setTimeout(30)
  expect(claimed.closed.aborted).toBe(false)
  claimed.close()
})

test('D17 streams that wait are bounded in number, by namespace', async () => {
  const streams = new StreamRegistry()
  const offered = Array.from({ length: 1024 }, () => stream())
  for (const [i, one] of offered.entries()) streams.offer('a', String(i), one)
  expect(await refusal(() => streams.offer('a', 'more', stream()))).toBe('resource_exhausted')
  streams.offer('b', '1', stream())
  streams.claim('b', '1').close()
  for (const one of offered) one.close()
})

test('messages pass both ways in order, and finishing waits until the client’s side has passed them on', async () => {
  const one = stream(1, 2)
  expect(await one.receive()).toEqual(message(1))
  expect(await one.receive()).toEqual(message(2))
  expect(await one.receive()).toBeUndefined()
  one.send(message(3))
  one.send(message(4))
  const got: PackedMessage[] = []
  const finished = one.finish().then(() => got.length)
  for await (const sent of one.outgoing) got.push(sent)
  one.end()
  expect(got).toEqual([message(3), message(4)])
  expect(await finished).toBe(2)
})

test('whoever waits for a message of a stream that ends is told so', async () => {
  const silent = new MessageStream({ next: () => new Promise(() => {}) })
  const waiting = refusal(() => silent.receive())
  silent.close()
  expect(await waiting).toBe('unavailable')
  expect(await refusal(() => silent.send(message(1)))).toBe('unavailable')
})

test('whoever waits for a message can give up', async () => {
  const silent = new MessageStream({ next: () => new Promise(() => {}) })
  expect(await refusal(() => silent.receive({ signal: AbortSignal.abort() }))).toBe('canceled')
})

test('a client that takes nothing is noticed', async () => {
  const one = stream()
  for (let i = 0; i < 1024; i++) one.send(message(1))
  expect(await refusal(() => one.send(message(1)))).toBe('resource_exhausted')
})
