import { randomBytes } from 'node:crypto'
import { createHasher } from '@nsbox/oci'
import { type Containerd, startContainerd } from '@nsbox/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from './client.ts'

const mebibyte = 1024 * 1024
const long = Boolean(process.env.NSBOX_TEST_LONG)
const size = (long ? 1024 : 256) * mebibyte

/** Far below the size: windows of 16 MiB in both directions, and what waits to be collected. */
const allowance = 96 * mebibyte

let containerd: Containerd

beforeAll(async () => {
  containerd = await startContainerd()
})
afterAll(() => containerd?.[Symbol.asyncDispose]())

/** Runs `work` and tells how far heap and buffers grew meanwhile, in bytes, and how long it took. */
async function measure(work: () => Promise<void>): Promise<{ growth: number; seconds: number }> {
  const held = () => {
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const before = held()
  let growth = 0
  const timer = setInterval(() => {
    growth = Math.max(growth, held() - before)
  }, 10)
  const started = performance.now()
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return { growth, seconds: (performance.now() - started) / 1000 }
}

test(`streams ${size / mebibyte} MiB in and out with flat memory`, { timeout: 600_000 }, async () => {
  await using client = connect({ address: containerd.address, namespace: 'streaming' })
  await using lease = await client.createLease()
  const { content } = lease.client
  const chunk = new Uint8Array(randomBytes(mebibyte))
  const sent = createHasher()
  for (let offset = 0; offset < size; offset += mebibyte) sent.update(chunk)
  const digest = sent.digest()

  const into = await measure(async () => {
    await using writer = await content.writer({ ref: 'large', total: size, expected: digest })
    for (let offset = 0; offset < size; offset += mebibyte) await writer.write(chunk)
    expect(await writer.commit({ size })).toMatchObject({ digest, size })
  })
  const received = createHasher()
  const out = await measure(async () => {
    for await (const part of content.read(digest)) received.update(part)
  })

  expect(received.digest()).toBe(digest)
  expect(into.growth).toBeLessThan(allowance)
  expect(out.growth).toBeLessThan(allowance)
  if (long) {
    const rate = ({ seconds }: { seconds: number }) => `${Math.round(size / mebibyte / seconds)} MiB/s`
    console.log(`content in: ${rate(into)}, out with hashing: ${rate(out)}`)
  }
})

test('a reader that pauses holds the server back', async () => {
  await using client = connect({ address: containerd.address, namespace: 'pausing' })
  await using lease = await client.createLease()
  const { content } = lease.client
  await using writer = await content.writer({ ref: 'paused' })
  for (let offset = 0; offset < 64; offset++) await writer.write(new Uint8Array(mebibyte))
  const { digest } = await writer.commit()

  const chunks = content.read(digest)[Symbol.asyncIterator]()
  const { growth } = await measure(async () => {
    expect((await chunks.next()).done).toBe(false)
    await new Promise((resolve) => setTimeout(resolve, 500))
  })
  await chunks.return?.()
  // One window of the stream, and a copy of a message or two; without the window all 64 MiB would come.
  expect(growth).toBeLessThan(32 * mebibyte)
})
