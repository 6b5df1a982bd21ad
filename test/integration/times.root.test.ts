import { join } from 'node:path'
import { type Client, connect } from '@nsbox/client'
import type { Envelope } from '@nsbox/core/events'
import { digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { Timestamp, wallTime } from '@nsbox/time'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startServer } from './programs.ts'

const bytes = Buffer.from('bytes')
const target = { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length }
const opaque = { typeUrl: 'example.com/Thing', value: new Uint8Array([1]) }

/**
 * Nanoseconds by which the clocks of two processes may differ, which find the end of a millisecond on a busy host; a
 * time that is cut to milliseconds differs by more in most cases.
 */
const precision = 200_000n

/** Makes something, and expects that its time lies between two readings of this process's clock. */
async function during<T>(make: () => Promise<T>, times: (made: T) => readonly Timestamp[]): Promise<T> {
  const before = Timestamp.fromEpochMicroseconds(Math.floor(wallTime() * 1000))
  const made = await make()
  const after = Timestamp.fromEpochMicroseconds(Math.ceil(wallTime() * 1000))
  for (const time of times(made)) {
    expect(time.epochNanoseconds).toBeGreaterThanOrEqual(before.epochNanoseconds - precision)
    expect(time.epochNanoseconds).toBeLessThanOrEqual(after.epochNanoseconds + precision)
  }
  return made
}

const all = ({ createdAt, updatedAt }: { readonly createdAt: Timestamp; readonly updatedAt: Timestamp }) => [
  createdAt,
  updatedAt,
]

/** Changes something as often as one would to hit a single millisecond, and expects that each change is later. */
async function expectLater(
  made: { readonly updatedAt: Timestamp },
  change: (n: number) => Promise<{ readonly updatedAt: Timestamp }>,
): Promise<void> {
  let { updatedAt } = made
  for (let n = 0; n < 5; n++) {
    const changed = await change(n)
    expect(changed.updatedAt.epochNanoseconds).toBeGreaterThan(updatedAt.epochNanoseconds)
    updatedAt = changed.updatedAt
  }
}

/** Nothing refers to what is made here, so the collector would take it. */
const kept = { 'containerd.io/gc.root': 'test' }

const labelled = (n: number) => ({ merge: { n: `${n}` } })

describeWith({ root: true, linux: true, programs: [] }, 'D22 times that clients are told', () => {
  let resources: AsyncDisposableStack
  let client: Client

  beforeAll(async () => {
    resources = new AsyncDisposableStack()
    const { path } = resources.use(await tempDir('nsbox-times'))
    const server = resources.use(await startServer({ root: join(path, 'root') }))
    client = resources.use(connect({ address: server.address, namespace: 'times' }))
    await client.version()
  })
  afterAll(() => resources.disposeAsync())

  it('of images', async () => {
    const image = await during(() => client.images.create({ name: 'i', target }), all)
    await expectLater(image, (n) => client.images.update('i', { labels: labelled(n) }))
    expect((await client.images.list()).map(({ createdAt }) => createdAt)).toEqual([image.createdAt])
  })

  it('of content, and of what is being written', async () => {
    const { content } = client
    await using writer = await during(
      () => content.writer({ ref: 'r' }),
      (opened) => [opened.status().startedAt, opened.status().updatedAt],
    )
    await expectLater(writer.status(), async () => {
      await writer.write(new Uint8Array([1]))
      return await content.status('r')
    })
    await writer.restart()
    await writer.write(bytes)
    const blob = await during(async () => content.info((await writer.commit({ labels: kept })).digest), all)
    await expectLater(blob, (n) => content.update(blob.digest, labelled(n)))
  })

  it('of leases', async () => {
    const lease = await during(
      () => client.leases.create({ id: 'l' }),
      ({ createdAt }) => [createdAt],
    )
    expect(await client.leases.list()).toMatchObject([{ createdAt: lease.createdAt }])
  })

  it('of containers', async () => {
    const wanted = { id: 'c', runtime: { name: 'io.containerd.runc.v2' }, spec: opaque }
    const container = await during(() => client.containers.create(wanted), all)
    await expectLater(container, (n) => client.containers.update({ ...container, image: `${n}` }, ['image']))
  })

  it('of snapshots', async () => {
    const snapshots = client.snapshotter('native')
    const snapshot = await during(async () => {
      await snapshots.prepare('s', undefined, { labels: kept })
      return await snapshots.stat('s')
    }, all)
    await expectLater(snapshot, (n) => snapshots.update('s', labelled(n)))
  })

  it('of events', async () => {
    const controller = new AbortController()
    const events = client.events.subscribe(['topic~="^/mine"'], { signal: controller.signal })
    let heard: IteratorResult<Envelope> | undefined
    const first = events.next().then((result) => {
      heard = result
    })
    const publish = (topic: string) => client.events.publish('times', { topic, opaque })
    // A subscriber is not told when its subscription begins.
    while (heard === undefined) await publish('/mine')
    await first
    let { timestamp } = heard.value as Envelope
    const last = async () => {
      await publish('/mine/last')
      for (;;) {
        const envelope = (await events.next()).value as Envelope
        expect(envelope.timestamp.epochNanoseconds).toBeGreaterThan(timestamp.epochNanoseconds)
        timestamp = envelope.timestamp
        if (envelope.event.topic === '/mine/last') return envelope
      }
    }
    for (let n = 0; n < 5; n++) await during(last, (envelope) => [envelope.timestamp])
    controller.abort()
    await expect(events.next()).rejects.toThrow()
  })
})
