import { Code, type ConnectError, createClient } from '@connectrpc/connect'
import { Content, WriteAction } from '@nsbox/api/gen/services/content/v1/content_pb'
import { type LocalContentStore, openContentStore } from '@nsbox/content'
import { digestOf } from '@nsbox/oci'
import { seededBytes, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { socketTransport } from '../testing/grpc-call.ts'
import { serveRoutes } from '../testing/serve-routes.ts'
import { contentRoutes } from './content.ts'

const { STAT, WRITE, COMMIT } = WriteAction

let resources: AsyncDisposableStack
let store: LocalContentStore
let content: ReturnType<typeof createClient<typeof Content>>
let begun: string[]

beforeEach(async () => {
  resources = new AsyncDisposableStack()
  begun = []
  const root = resources.use(await tempDir('nsbox-content-route')).path
  store = resources.use(await openContentStore({ root, durability: 'relaxed' }))
  const served = resources.use(
    await serveRoutes((router) =>
      contentRoutes(
        router,
        () => ({ content: store }) as never,
        (ref) => begun.push(ref),
      ),
    ),
  )
  const client = socketTransport(served.address)
  resources.defer(() => client[Symbol.dispose]())
  content = createClient(Content, client.transport)
})
afterEach(() => resources.disposeAsync())

type Message = Parameters<typeof content.write>[0] extends AsyncIterable<infer M> ? M : never

/** A stream of `Content.Write` with one message at a time, as Go clients use it. */
function conversation() {
  const queue: (Message | undefined)[] = []
  let wake = () => {}
  const requests = (async function* () {
    for (;;) {
      while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      const message = queue.shift()
      if (message === undefined) return
      yield message
    }
  })()
  const replies = content.write(requests)[Symbol.asyncIterator]()
  return {
    async say(message: Message) {
      queue.push(message)
      wake()
      const { value, done } = await replies.next()
      if (done === true) throw new Error('the stream ended')
      return value
    },
    async end() {
      queue.push(undefined)
      wake()
      return (await replies.next()).done
    },
  }
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error: ConnectError) => Code[error.code],
  )

const bytes = Buffer.concat([...seededBytes(1, 100_000)])
const digest = digestOf(bytes)
const size = BigInt(bytes.byteLength)

async function ingest(data = bytes) {
  const stream = conversation()
  await stream.say({ action: WRITE, ref: 'r', data })
  await stream.say({ action: COMMIT, offset: BigInt(data.byteLength) })
  await stream.end()
}

describe('Write', () => {
  test('stat, write and commit make a blob with labels', async () => {
    const stream = conversation()
    const opened = await stream.say({ action: STAT, ref: 'r', total: size, expected: digest })
    expect(opened).toMatchObject({ action: STAT, offset: 0n, total: size })
    expect(opened.startedAt?.seconds).toBeGreaterThan(0n)
    expect(await stream.say({ action: WRITE, data: bytes.subarray(0, 60_000) })).toMatchObject({
      offset: 60_000n,
    })
    const written = await stream.say({ action: WRITE, offset: 60_000n, data: bytes.subarray(60_000) })
    expect(written).toMatchObject({ action: WRITE, offset: size })
    const committed = await stream.say({
      action: COMMIT,
      offset: size,
      total: size,
      expected: digest,
      labels: { a: 'b' },
    })
    expect(committed).toMatchObject({ action: COMMIT, offset: size, digest })
    expect(await stream.end()).toBe(true)
    expect(await content.info({ digest })).toMatchObject({ info: { digest, size, labels: { a: 'b' } } })
  })

  test('is told of once it has begun, and not if it cannot begin', async () => {
    expect(await code(conversation().say({ action: STAT, ref: '' }))).toBe('InvalidArgument')
    expect(begun).toEqual([])
    const stream = conversation()
    await stream.say({ action: STAT, ref: 'r' })
    await stream.say({ action: WRITE, data: bytes })
    await stream.end()
    expect(begun).toEqual(['r'])
  })

  test('each answer has the digest so far, by which clients name a blob that turns out to exist', async () => {
    await ingest()
    const stream = conversation()
    const [first, rest] = [bytes.subarray(0, 5), bytes.subarray(5)]
    expect(await stream.say({ action: WRITE, ref: 'r2', data: first })).toMatchObject({
      digest: digestOf(first),
    })
    expect(await stream.say({ action: WRITE, offset: 5n, data: rest })).toMatchObject({ digest })
    expect(await code(stream.say({ action: COMMIT, offset: size }))).toBe('AlreadyExists')
  })

  test('a commit may bring the last bytes and needs no expectation', async () => {
    const stream = conversation()
    await stream.say({ action: WRITE, ref: 'r', data: bytes.subarray(0, 10) })
    expect(await stream.say({ action: COMMIT, offset: 10n, data: bytes.subarray(10) })).toMatchObject({
      digest,
    })
  })

  test('the first message must name the ingest', async () => {
    expect(await code(conversation().say({ action: STAT }))).toBe('InvalidArgument')
  })

  test('a stream that ends leaves an ingest that a later one goes on with', async () => {
    const first = conversation()
    await first.say({ action: WRITE, ref: 'r', total: size, data: bytes.subarray(0, 10) })
    await first.end()
    expect((await content.status({ ref: 'r' })).status).toMatchObject({ ref: 'r', offset: 10n, total: size })
    const second = conversation()
    expect(await second.say({ action: STAT, ref: 'r', total: size })).toMatchObject({ offset: 10n })
    await second.say({ action: WRITE, offset: 10n, data: bytes.subarray(10) })
    expect(await second.say({ action: COMMIT, offset: size })).toMatchObject({ digest })
  })

  test('an ingest can be opened at once after a client was killed', async () => {
    const controller = new AbortController()
    const killed = content.write(
      (async function* () {
        yield { action: WRITE, ref: 'r', data: bytes.subarray(0, 10) }
        await new Promise(() => {})
      })(),
      { signal: controller.signal },
    )
    await killed[Symbol.asyncIterator]().next()
    controller.abort()
    expect(await conversation().say({ action: STAT, ref: 'r' })).toMatchObject({ offset: 10n })
  })

  test('a ref that somebody holds is unavailable at once, and not once its stream has ended', async () => {
    // Like a client that closes its stream without waiting for the server.
    for (let round = 0; round < 50; round++) {
      const holder = conversation()
      await holder.say({ action: STAT, ref: 'r' })
      expect(await code(conversation().say({ action: STAT, ref: 'r' }))).toBe('Unavailable')
      const ended = holder.end()
      const next = conversation()
      expect(await next.say({ action: STAT, ref: 'r' })).toMatchObject({ offset: 0n })
      await Promise.all([ended, next.end()])
    }
  })

  test('an abort takes a ref from its writer, which learns it at its next message', async () => {
    const holder = conversation()
    await holder.say({ action: WRITE, ref: 'r', data: bytes.subarray(0, 10) })
    await content.abort({ ref: 'r' })
    expect(await code(content.status({ ref: 'r' }))).toBe('NotFound')
    const next = conversation()
    expect(await next.say({ action: STAT, ref: 'r' })).toMatchObject({ offset: 0n })
    expect(await code(holder.say({ action: WRITE, offset: 10n, data: bytes.subarray(10) }))).toBe('Aborted')
    expect(await next.say({ action: STAT, ref: 'r' })).toMatchObject({ offset: 0n })
  })

  test('D17 a client that says nothing more loses the ref at its deadline', async () => {
    const silent = content.write(
      (async function* () {
        yield { action: WRITE, ref: 'r', data: bytes.subarray(0, 10) }
        await new Promise(() => {})
      })(),
      { headers: { 'grpc-timeout': '100m' } },
    )
    const replies = silent[Symbol.asyncIterator]()
    await replies.next()
    expect(await code(replies.next())).toBe('DeadlineExceeded')
    expect(await conversation().say({ action: STAT, ref: 'r' })).toMatchObject({ offset: 10n })
  })

  test('a wrong offset is out of range, and nothing is written', async () => {
    const stream = conversation()
    await stream.say({ action: WRITE, ref: 'r', data: bytes.subarray(0, 10) })
    expect(await code(stream.say({ action: WRITE, offset: 11n, data: bytes }))).toBe('OutOfRange')
    expect((await content.status({ ref: 'r' })).status?.offset).toBe(10n)
  })

  test('offset 0 after data starts over', async () => {
    const stream = conversation()
    await stream.say({ action: WRITE, ref: 'r', data: new Uint8Array(7) })
    expect(await stream.say({ action: WRITE, offset: 0n, data: bytes })).toMatchObject({ offset: size })
    expect(await stream.say({ action: COMMIT, offset: size, expected: digest })).toMatchObject({ digest })
  })

  test('a blob that exists already is said to, at the first message or a later one', async () => {
    await ingest()
    expect(await code(conversation().say({ action: STAT, ref: 'x', expected: digest }))).toBe('AlreadyExists')
    const stream = conversation()
    await stream.say({ action: WRITE, ref: 'y', data: bytes })
    expect(await code(stream.say({ action: COMMIT, offset: size, expected: digest }))).toBe('AlreadyExists')
    expect(await content.listStatuses({})).toMatchObject({ statuses: [] })
  })

  test.each([
    ['size', { total: 5n }],
    ['digest', { expected: digestOf('other') }],
  ])('a commit with an unexpected %s fails and keeps the ingest', async (_, wrong) => {
    const stream = conversation()
    await stream.say({ action: WRITE, ref: 'r', data: bytes })
    expect(await code(stream.say({ action: COMMIT, offset: size, ...wrong }))).toBe('FailedPrecondition')
    expect((await content.status({ ref: 'r' })).status?.offset).toBe(size)
  })

  test('a declaration of a later message replaces an earlier one', async () => {
    const stream = conversation()
    await stream.say({ action: WRITE, ref: 'r', data: bytes })
    await stream.say({ action: STAT, total: 5n, expected: digestOf('other') })
    const committed = await stream.say({ action: COMMIT, offset: size, total: size, expected: digest })
    expect(committed).toMatchObject({ digest })
  })

  test('B04 a malformed digest is refused before anything is opened', async () => {
    expect(await code(conversation().say({ action: STAT, ref: 'r', expected: 'sha256:../x' }))).toBe(
      'InvalidArgument',
    )
    expect(await code(content.status({ ref: 'r' }))).toBe('NotFound')
  })
})

describe('Read', () => {
  test('gives a blob in chunks of at most 1 MiB with their offsets', async () => {
    const large = Buffer.concat([...seededBytes(2, 2_500_000)])
    await ingest(large)
    const chunks: Uint8Array[] = []
    let offset = 0n
    for await (const chunk of content.read({ digest: digestOf(large) })) {
      expect(chunk.offset).toBe(offset)
      expect(chunk.data.byteLength).toBeLessThanOrEqual(1 << 20)
      offset += BigInt(chunk.data.byteLength)
      chunks.push(chunk.data)
    }
    expect(digestOf(Buffer.concat(chunks))).toBe(digestOf(large))
  })

  test.each([
    ['in the middle', { offset: 10n, size: 5n }, bytes.subarray(10, 15)],
    ['beyond the end', { offset: 99_990n, size: 100n }, bytes.subarray(99_990)],
    ['at the end', { offset: size }, new Uint8Array()],
    ['of negative numbers', { offset: -1n, size: -1n }, bytes],
  ])('gives a range %s', async (_, range, expected) => {
    await ingest()
    const chunks: Uint8Array[] = []
    for await (const { data } of content.read({ digest, ...range })) chunks.push(data)
    expect(Buffer.concat(chunks).equals(expected)).toBe(true)
  })

  test('beyond the end is out of range, a missing blob not found', async () => {
    await ingest()
    const read = (request: { digest: string; offset?: bigint }) =>
      code(content.read(request)[Symbol.asyncIterator]().next())
    expect(await read({ digest, offset: size + 1n })).toBe('OutOfRange')
    expect(await read({ digest: digestOf('missing') })).toBe('NotFound')
    expect(await read({ digest: 'sha256:../../etc/passwd' })).toBe('InvalidArgument')
  })
})

test('labels change by field mask, and other fields are refused with the text clients know', async () => {
  await ingest()
  const update = (labels: Record<string, string>, paths?: string[]) =>
    content.update({ info: { digest, labels }, ...(paths && { updateMask: { paths } }) })
  expect((await update({ a: '1', b: '2' })).info?.labels).toEqual({ a: '1', b: '2' })
  expect((await update({ 'x.y': '3' }, ['labels.x.y', 'labels.a'])).info?.labels).toEqual({
    b: '2',
    'x.y': '3',
  })
  const failure: ConnectError = await update({}, ['size']).catch((error) => error)
  expect(failure.rawMessage).toMatch(/^cannot update "size" field on content info .*: invalid argument$/)
})

test('blobs are listed in batches, and deleted', async () => {
  for (let i = 0; i < 101; i++) await ingest(Buffer.from(String(i)))
  const batches: number[] = []
  for await (const { info } of content.list({})) batches.push(info.length)
  expect(batches).toEqual([100, 1])
  await content.delete({ digest: digestOf('7') })
  expect(await code(content.info({ digest: digestOf('7') }))).toBe('NotFound')
  const named: string[] = []
  for await (const { info } of content.list({ filters: [`digest==${digestOf('8')}`] })) {
    named.push(...info.map((one) => one.digest))
  }
  expect(named).toEqual([digestOf('8')])
})

test('ingests are listed by filter and aborted', async () => {
  const stream = conversation()
  await stream.say({ action: WRITE, ref: 'a', data: bytes })
  await stream.end()
  await expect.poll(() => code(content.abort({ ref: 'a' }))).toBe('ok')
  expect((await content.listStatuses({ filters: ['ref==a'] })).statuses).toEqual([])
  expect(await code(content.abort({ ref: 'a' }))).toBe('NotFound')
})
