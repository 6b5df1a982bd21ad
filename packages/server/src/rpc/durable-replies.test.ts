import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { Content } from '@nsbox/api/gen/services/content/v1/content_pb'
import { NsboxError } from '@nsbox/errors'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { socketTransport } from '../testing/grpc-call.ts'
import { serveRoutes } from '../testing/serve-routes.ts'

let resources: AsyncDisposableStack
let content: ReturnType<typeof createClient<typeof Content>>
/** Syncs that wait for the disk, oldest first. */
let syncs: { resolve: () => void; reject: (error: Error) => void }[]

beforeEach(async () => {
  resources = new AsyncDisposableStack()
  syncs = []
  const durable = () => new Promise<void>((resolve, reject) => syncs.push({ resolve, reject }))
  const served = resources.use(
    await serveRoutes(
      (router) =>
        router.service(Content, {
          info: ({ digest }) => {
            if (digest === 'missing') throw new NsboxError('not_found', digest)
            return {}
          },
          async *read() {
            yield { offset: 1n }
            yield { offset: 2n }
          },
        }),
      { durable },
    ),
  )
  const client = socketTransport(served.address)
  resources.defer(() => client[Symbol.dispose]())
  content = createClient(Content, client.transport)
})
afterEach(() => resources.disposeAsync())

/** Whether a promise settles within a time that is ample for an answer. */
const settles = (promise: Promise<unknown>) =>
  Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 50)),
  ])

/** Completes waiting syncs again and again until the work is done. */
async function syncUntil<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => {
    for (const { resolve } of syncs.splice(0)) resolve()
  }, 1)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}

test('a reply waits for the sync, also that of a call that only read', async () => {
  const reply = content.info({ digest: 'x' })
  expect(await settles(reply)).toBe(false)
  await expect.poll(() => syncs.length).toBe(1)
  await syncUntil(reply)
})

test('an error waits for the sync, since it tells of something as well', async () => {
  const reply = content.info({ digest: 'missing' }).catch((error: ConnectError) => error.code)
  expect(await settles(reply)).toBe(false)
  expect(await syncUntil(reply)).toBe(Code.NotFound)
})

test('each message of a stream waits for a sync of its own', async () => {
  const messages = content.read({})[Symbol.asyncIterator]()
  const first = messages.next()
  expect(await settles(first)).toBe(false)
  await expect.poll(() => syncs.length).toBe(1)
  syncs.shift()?.resolve()
  expect((await first).value?.offset).toBe(1n)
  const second = messages.next()
  expect(await settles(second)).toBe(false)
  expect((await syncUntil(second)).value?.offset).toBe(2n)
  expect((await syncUntil(messages.next())).done).toBe(true)
})

test('a sync that fails is what the client is told', async () => {
  const reply = content.info({ digest: 'x' }).catch((error: unknown) => ConnectError.from(error).code)
  await expect.poll(() => syncs.length).toBe(1)
  syncs[0]?.reject(new NsboxError('data_loss', 'disk'))
  expect(await reply).toBe(Code.DataLoss)
})
