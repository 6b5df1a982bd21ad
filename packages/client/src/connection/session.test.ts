import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { isNsboxError } from '@nsbox/errors'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { expect, test } from 'vitest'
import { Session } from './session.ts'

/** Lets a server listen on a socket of its own, and takes both away again. */
async function listen(server: Server | Http2Server): Promise<{ address: string } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  const address = join(stack.use(await tempDir('nsbox-session')).path, 'socket')
  await new Promise<void>((resolve) => server.listen(address, resolve))
  stack.defer(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const owned = stack.move()
  return { address, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** An HTTP/2 server that answers at once, except for `/wait`, with the sessions and requests that it has. */
function echoServer(): { server: Http2Server; sessions: Set<ServerHttp2Session>; waiting: string[] } {
  const sessions = new Set<ServerHttp2Session>()
  const waiting: string[] = []
  const server = createHttp2Server()
  server.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  server.on('stream', (stream, headers) => {
    if (headers[':path'] === '/wait') {
      waiting.push('/wait')
      return
    }
    stream.respond({ ':status': 200 })
    stream.end()
  })
  return { server, sessions, waiting }
}

/** Makes a request and waits for its end. */
async function request(session: Session, path = '/'): Promise<void> {
  const stream = await session.request('GET', path, {}, {})
  stream.resume()
  await new Promise<void>((resolve, reject) => {
    stream.once('close', () =>
      stream.rstCode === 0 ? resolve() : reject(new Error(`reset: ${stream.rstCode}`)),
    )
    stream.once('error', reject)
  })
}

async function failure(session: Session): Promise<{ code: string; message: string; details: object }> {
  const error: unknown = await request(session).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isNsboxError(error)) throw new Error('expected an NsboxError', { cause: error })
  return error
}

test('says where nobody listens', async () => {
  await using directory = await tempDir('nsbox-session')
  const address = `unix://${directory.path}/none.sock`
  await using session = new Session(address, { connectTimeout: 1000 })
  const { code, message, details } = await failure(session)
  expect(code).toBe('unavailable')
  expect(message).toContain(address)
  expect(details).toEqual({ address, errno: 'ENOENT' })
})

test('gives up on a peer that accepts and says nothing', async () => {
  const server = createServer((socket) => void socket.resume())
  await using peer = await listen(server)
  await using session = new Session(peer.address, { connectTimeout: 100 })
  const { code, message } = await failure(session)
  expect(code).toBe('unavailable')
  expect(message).toContain('100 ms')
  expect(session.openStreams).toBe(0)
})

test.each([
  ['hangs up', ''],
  ['speaks another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
])('fails on a peer that %s', async (_, greeting) => {
  const server = createServer((socket) => {
    socket.on('error', () => {}).resume()
    socket.end(greeting)
  })
  await using peer = await listen(server)
  await using session = new Session(peer.address, { connectTimeout: 5000 })
  expect((await failure(session)).code).toBe('unavailable')
  expect((await failure(session)).code).toBe('unavailable')
})

test('uses one connection for all calls', async () => {
  const { server, sessions } = echoServer()
  await using peer = await listen(server)
  await using session = new Session(peer.address, { connectTimeout: 5000 })
  await Promise.all(Array.from({ length: 20 }, () => request(session)))
  await request(session)
  expect(sessions.size).toBe(1)
  expect(session.openStreams).toBe(0)
})

test('connects again after the connection was lost', async () => {
  const { server, sessions } = echoServer()
  await using peer = await listen(server)
  await using session = new Session(peer.address, { connectTimeout: 5000 })
  await request(session)
  for (const lost of sessions) lost.destroy()
  await expect.poll(() => sessions.size).toBe(0)
  await request(session)
  expect(sessions.size).toBe(1)
})

test('lets running calls end on a connection that the server retires', async () => {
  const { server, sessions, waiting } = echoServer()
  await using peer = await listen(server)
  await using session = new Session(peer.address, { connectTimeout: 5000 })
  const running = await session.request('GET', '/wait', {}, {})
  const ended = new Promise<void>((resolve) => running.once('close', resolve))
  await expect.poll(() => waiting).toHaveLength(1)
  for (const retired of sessions) retired.close()
  await expect
    .poll(async () => {
      await request(session)
      return sessions.size
    })
    .toBe(2)
  expect(running.closed).toBe(false)
  expect(session.openStreams).toBe(1)
  running.close()
  await ended
  await expect.poll(() => sessions.size).toBe(1)
})

test('ends with its calls and takes no more', async () => {
  const { server, sessions } = echoServer()
  await using peer = await listen(server)
  const session = new Session(peer.address, { connectTimeout: 5000 })
  const running = request(session, '/wait')
  const outcome = running.then(
    () => 'ended',
    () => 'failed',
  )
  await expect.poll(() => session.openStreams).toBe(1)
  await session[Symbol.asyncDispose]()
  expect(await outcome).toBe('failed')
  expect(session.openStreams).toBe(0)
  expect((await failure(session)).code).toBe('failed_precondition')
  await session[Symbol.asyncDispose]()
  await expect.poll(() => sessions.size).toBe(0)
})

test('can be ended while it connects', async () => {
  const server = createServer((socket) => void socket.resume())
  await using peer = await listen(server)
  const session = new Session(peer.address, { connectTimeout: 5000 })
  const connecting = failure(session)
  await new Promise((resolve) => setTimeout(resolve, 20))
  await session[Symbol.asyncDispose]()
  expect((await connecting).code).toBe('unavailable')
})
