import { constants, createServer } from 'node:http2'
import { createServer as createSocketServer } from 'node:net'
import { join } from 'node:path'
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { toConnectError } from '@nsbox/api'
import { Containers } from '@nsbox/api/gen/services/containers/v1/containers_pb'
import { Content } from '@nsbox/api/gen/services/content/v1/content_pb'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import { digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { expect, test } from 'vitest'
import { RemoteContainerStore } from '../remote/remote-container-store.ts'
import { RemoteContentStore } from '../remote/remote-content-store.ts'
import { Rpc } from './rpc.ts'
import { Session } from './session.ts'

interface Services {
  readonly version?: Partial<ServiceImpl<typeof Version>>
  readonly content?: Partial<ServiceImpl<typeof Content>>
  readonly containers?: Partial<ServiceImpl<typeof Containers>>
}

/** A connection to a server within this process that has these methods and no others. */
async function serve(services: Services): Promise<{ session: Session; rpc: Rpc } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  const address = join(stack.use(await tempDir('nsbox-rpc')).path, 'socket')
  const handler = connectNodeAdapter({
    routes: (router) =>
      router
        .service(Version, services.version ?? {})
        .service(Content, services.content ?? {})
        .service(Containers, services.containers ?? {}),
  })
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(address, resolve))
  stack.defer(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const session = stack.use(new Session(address, { connectTimeout: 5000 }))
  const owned = stack.move()
  const rpc = new Rpc(session, { namespace: 'first' })
  return { session, rpc, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** A server that refuses the first calls, as one does that asks for a new connection. */
async function serveAfterRefusing(count: number): Promise<{ rpc: Rpc; refused(): number } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  const address = join(stack.use(await tempDir('nsbox-rpc')).path, 'socket')
  const handler = connectNodeAdapter({
    routes: (router) => router.service(Version, { version: () => ({ version: '1' }) }),
  })
  let refused = 0
  const server = createServer((request, response) => {
    if (refused === count) return void handler(request, response)
    refused++
    response.stream.close(constants.NGHTTP2_REFUSED_STREAM)
  })
  await new Promise<void>((resolve) => server.listen(address, resolve))
  stack.defer(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const session = stack.use(new Session(address, { connectTimeout: 5000 }))
  const owned = stack.move()
  const rpc = new Rpc(session, { namespace: 'first' })
  return { rpc, refused: () => refused, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function failure(operation: Promise<unknown>): Promise<NsboxError> {
  const error: unknown = await operation.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isNsboxError(error)) throw new Error('expected an NsboxError', { cause: error })
  return error
}

test('makes a call again that the connection did not take, within bounds', async () => {
  await using server = await serveAfterRefusing(2)
  expect(await server.rpc.unary(Version.method.version, {})).toMatchObject({ version: '1' })
  expect(server.refused()).toBe(2)
  await using never = await serveAfterRefusing(1000)
  await failure(never.rpc.unary(Version.method.version, {}))
  expect(never.refused()).toBe(5)
})

test('fails as unavailable when the server ends the connection in good order, without an answer', async () => {
  await using directory = await tempDir('nsbox-rpc')
  const address = join(directory.path, 'socket')
  const server = createServer()
  server.on('stream', (stream) => stream.session?.destroy())
  await new Promise<void>((resolve) => server.listen(address, resolve))
  try {
    await using session = new Session(address, { connectTimeout: 5000 })
    const call = new Rpc(session, { namespace: 'first' }).unary(Version.method.version, {})
    await expect(call).rejects.toMatchObject({ code: 'unavailable', details: { address } })
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
})

test('says which namespace and lease a call is for', async () => {
  const seen: (string | null)[][] = []
  await using server = await serve({
    version: {
      version: (_, { requestHeader }) => {
        seen.push(['containerd-namespace', 'containerd-lease'].map((name) => requestHeader.get(name)))
        return {}
      },
    },
  })
  await server.rpc.unary(Version.method.version, {})
  await server.rpc.bind({ lease: 'held' }).unary(Version.method.version, {})
  await server.rpc.bind({ lease: 'held' }).bind({ namespace: 'second' }).unary(Version.method.version, {})
  expect(seen).toEqual([
    ['first', null],
    ['first', 'held'],
    ['second', 'held'],
  ])
})

test('tells what the server said, with its details', async () => {
  await using server = await serve({
    version: {
      version: () => {
        throw toConnectError(new NsboxError('out_of_range', 'too far', { details: { offset: 7 } }))
      },
    },
  })
  const error = await failure(server.rpc.unary(Version.method.version, {}))
  expect(error).toMatchObject({ code: 'out_of_range', context: 'too far', details: { offset: 7 } })
  expect(error.message).toBe('too far: out of range')
})

test.each([Code.Canceled, Code.Aborted, Code.Unavailable])(
  'takes a code that a broken connection has too as the server means it: %i',
  async (code) => {
    await using server = await serve({
      version: {
        version: () => {
          throw new ConnectError('of the server', code)
        },
      },
    })
    const error = await failure(server.rpc.unary(Version.method.version, {}))
    expect(error.context).toBe('of the server')
    expect(error.code).toBe({ 1: 'canceled', 10: 'aborted', 14: 'unavailable' }[code as 1 | 10 | 14])
  },
)

test('reports a method that the server lacks', async () => {
  await using server = await serve({})
  expect((await failure(server.rpc.unary(Version.method.version, {}))).code).toBe('unimplemented')
})

test('refuses messages beyond 16 MiB, either way', async () => {
  const revision = 'x'.repeat(16 * 1024 * 1024)
  await using server = await serve({ version: { version: () => ({ revision }) } })
  expect((await failure(server.rpc.unary(Version.method.version, {}))).code).toBe('resource_exhausted')
  const update = server.rpc.unary(Content.method.update, { info: { digest: revision } })
  expect((await failure(update)).code).toBe('resource_exhausted')
  await expect.poll(() => server.session.openStreams).toBe(0)
})

test('an abort ends a call that still waits for its connection', async () => {
  await using directory = await tempDir('nsbox-rpc')
  const silent = createSocketServer((socket) => void socket.resume())
  const address = join(directory.path, 'socket')
  await new Promise<void>((resolve) => silent.listen(address, resolve))
  try {
    await using session = new Session(address, { connectTimeout: 3_600_000 })
    const rpc = new Rpc(session, { namespace: 'first' })
    const controller = new AbortController()
    const reason = new Error('the caller gave up')
    const call = rpc.unary(Version.method.version, {}, { signal: controller.signal })
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
  } finally {
    silent.close()
  }
})

test('leaves no stream behind when a server fails early and does not reset', async () => {
  await using server = await serve({
    content: {
      // biome-ignore lint/correctness/useYield: it fails before it has an answer
      async *write() {
        throw new ConnectError('ref busy locked', Code.Unavailable)
      },
    },
  })
  const content = new RemoteContentStore(server.rpc)
  expect((await failure(content.writer({ ref: 'busy' }))).code).toBe('unavailable')
  await expect.poll(() => server.session.openStreams).toBe(0)
})

test('closes a writer whose server has miscounted', async () => {
  await using server = await serve({
    content: {
      async *write(requests) {
        for await (const _ of requests) yield { offset: 5n }
      },
    },
  })
  const writer = await new RemoteContentStore(server.rpc).writer({ ref: 'odd' })
  expect(writer.status().offset).toBe(5)
  expect((await failure(writer.write(new Uint8Array(3)))).code).toBe('data_loss')
  expect((await failure(writer.write(new Uint8Array(3)))).code).toBe('failed_precondition')
  await expect.poll(() => server.session.openStreams).toBe(0)
})

test('reports a stream that ends in place of an answer', async () => {
  await using server = await serve({ content: { async *write() {} } })
  const content = new RemoteContentStore(server.rpc)
  expect((await failure(content.writer({ ref: 'short' }))).code).toBe('data_loss')
})

test('never asks for an update without a mask', async () => {
  let updates = 0
  const digest = digestOf('x')
  await using server = await serve({
    content: {
      info: () => ({ info: { digest, size: 1n } }),
      update: () => {
        updates++
        return {}
      },
    },
  })
  await new RemoteContentStore(server.rpc).update(digest, { merge: {} })
  expect(updates).toBe(0)
})

test('lists containers in one message where the server has no stream of them', async () => {
  const filters: string[][] = []
  await using server = await serve({
    containers: {
      list: (request) => {
        filters.push(request.filters)
        return { containers: ['a', 'b'].map((id) => ({ id, runtime: { name: 'r' } })) }
      },
    },
  })
  const ids: string[] = []
  for await (const { id } of new RemoteContainerStore(server.rpc).list(['id'])) ids.push(id)
  expect(ids).toEqual(['a', 'b'])
  expect(filters).toEqual([['id']])
})

test('does not take a stream of containers that fails for one that is not there', async () => {
  await using server = await serve({
    containers: {
      list: () => ({ containers: [] }),
      async *listStream() {
        yield { container: { id: 'a', runtime: { name: 'r' } } }
        throw toConnectError(new NsboxError('data_loss', 'the second'))
      },
    },
  })
  const listing = new RemoteContainerStore(server.rpc).list()
  expect((await listing.next()).value).toMatchObject({ id: 'a' })
  expect((await failure(listing.next())).code).toBe('data_loss')
})
