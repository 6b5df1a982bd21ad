import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode } from '@nsbox/errors'
import { type Containerd, startContainerd } from '@nsbox/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from './client.ts'
import { Rpc } from './connection/rpc.ts'
import { Session } from './connection/session.ts'
import { RemoteContentStore } from './remote/remote-content-store.ts'
import { RemoteEvents } from './remote/remote-events.ts'
import { RemoteImageStore } from './remote/remote-image-store.ts'

let containerd: Containerd

beforeAll(async () => {
  containerd = await startContainerd()
})
afterAll(() => containerd?.[Symbol.asyncDispose]())

const reason = new Error('the caller gave up')

test('D03 a thousand cancelled calls leave no stream and no handle', async () => {
  await using session = new Session(containerd.address, { connectTimeout: 5000 })
  const rpc = new Rpc(session, { namespace: 'cancelled' })
  const images = new RemoteImageStore(rpc)
  const events = new RemoteEvents(rpc)
  const content = new RemoteContentStore(rpc)
  await images.list()
  const handles = process.getActiveResourcesInfo().length

  const wait = async (signal: AbortSignal) => {
    for await (const _ of events.subscribe([], { signal }));
  }
  const write = async (ref: string, signal: AbortSignal) => {
    await using writer = await content.writer({ ref }, { signal })
    for (;;) await writer.write(new Uint8Array(1000), { signal })
  }
  const calls: ((signal: AbortSignal, n: number) => Promise<unknown>)[] = [
    (signal) => images.list([], { signal }),
    (signal) => wait(signal),
    (signal, n) => write(`ref-${n}`, signal),
    (signal) => content.statuses([], { signal }),
  ]
  let aborted = 0
  for (let round = 0; round < 20; round++) {
    const controllers = Array.from({ length: 50 }, () => new AbortController())
    const running = controllers.map(async ({ signal }, n) => {
      const call = calls[n % calls.length] as (typeof calls)[0]
      await call(signal, n).catch((error: unknown) => {
        if (error !== reason) throw error
        aborted++
      })
    })
    await sleep(round % 4)
    for (const controller of controllers) controller.abort(reason)
    await Promise.all(running)
  }
  expect(aborted).toBeGreaterThan(500)
  await expect.poll(() => session.openStreams).toBe(0)
  await expect.poll(() => process.getActiveResourcesInfo().length).toBeLessThanOrEqual(handles)
  // The server has let go as well.
  for (let n = 2; n < 50; n += 4) {
    await using writer = await content.writer({ ref: `ref-${n}` })
    expect(writer.status().offset % 1000).toBe(0)
  }
})

test('an abort ends a call that would wait for ever, and leaves nothing on the signal', async () => {
  await using client = connect({ address: containerd.address, namespace: 'aborts' })
  await client.version()
  const controller = new AbortController()
  let listeners = 0
  const { signal } = controller
  const { addEventListener, removeEventListener } = signal
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners++
    addEventListener.apply(signal, args)
  }
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners--
    removeEventListener.apply(signal, args)
  }
  await Promise.all(Array.from({ length: 100 }, () => client.version({ signal })))
  for await (const _ of client.content.list([], { signal }));
  expect(listeners).toBe(0)

  const events = client.events.subscribe([], { signal })[Symbol.asyncIterator]()
  const next = events.next()
  await sleep(20)
  controller.abort(reason)
  await expect(next).rejects.toBe(reason)
  expect(listeners).toBe(0)
})

test('an iteration that ends early resets its stream', async () => {
  await using session = new Session(containerd.address, { connectTimeout: 5000 })
  const events = new RemoteEvents(new Rpc(session, { namespace: 'early' }))
  const publishing = setInterval(() => void publish(), 10)
  const publish = () =>
    events.publish('early', { topic: '/early', opaque: { typeUrl: 'x', value: new Uint8Array() } })
  try {
    for await (const { event } of events.subscribe(['topic=="/early"'])) {
      expect(event.topic).toBe('/early')
      break
    }
  } finally {
    clearInterval(publishing)
  }
  await expect.poll(() => session.openStreams).toBe(0)
})

test('calls that run when the client is disposed of are canceled', async () => {
  const client = connect({ address: containerd.address, namespace: 'disposed' })
  const waiting = client.events.subscribe()[Symbol.asyncIterator]().next()
  const writer = await client.content.writer({ ref: 'open' })
  await writer.write(new Uint8Array(3))
  const outcome = waiting.then(() => 'ended', errorCode)
  await client[Symbol.asyncDispose]()
  expect(await outcome).toBe('canceled')
  expect(await writer.write(new Uint8Array(3)).then(() => 'written', errorCode)).toBe('canceled')
  await writer[Symbol.asyncDispose]()
  expect(await client.version().then(() => 'answered', errorCode)).toBe('failed_precondition')
})

test('calls fail as unavailable when the server dies, those that run and those that follow', async () => {
  await using doomed = await startContainerd()
  await using client = connect({ address: doomed.address, namespace: 'killed' })
  const waiting = client.events.subscribe()[Symbol.asyncIterator]().next()
  await using writer = await client.content.writer({ ref: 'open' })
  await writer.write(new Uint8Array(3))
  const outcome = waiting.then(() => 'ended', errorCode)
  process.kill(doomed.process.pid, 'SIGKILL')
  expect(await outcome).toBe('unavailable')
  expect(await writer.write(new Uint8Array(3)).then(() => 'written', errorCode)).toBe('unavailable')
  expect(await client.version().then(() => 'answered', errorCode)).toBe('unavailable')
})
