import { createClient } from '@connectrpc/connect'
import { Content } from '@nsbox/api/gen/services/content/v1/content_pb'
import { expect, test } from 'vitest'
import { socketTransport } from '../testing/grpc-call.ts'
import { serveRoutes } from '../testing/serve-routes.ts'

test('a client may give up on thousands of streams, and others of its calls go on meanwhile', {
  timeout: 120_000,
}, async () => {
  let tick = () => {}
  await using served = await serveRoutes((router) =>
    router.service(Content, {
      async *read({ size }) {
        for (let i = 0n; i < size; i++) yield { offset: i }
        await new Promise(() => {})
      },
      async *list() {
        for (let i = 0; i < 2; i++) {
          yield {}
          await new Promise<void>((resolve) => {
            tick = resolve
          })
        }
      },
    }),
  )
  using client = socketTransport(served.address)
  const content = createClient(Content, client.transport)
  const long = content.list({})[Symbol.asyncIterator]()
  await long.next()
  const readAndGiveUp = async () => {
    const controller = new AbortController()
    const messages = content.read({ size: 1n }, { signal: controller.signal })[Symbol.asyncIterator]()
    expect((await messages.next()).value?.offset).toBe(0n)
    controller.abort()
  }
  for (let i = 0; i < 60; i++) await Promise.all(Array.from({ length: 50 }, readAndGiveUp))
  tick()
  expect((await long.next()).done).toBe(false)
})
