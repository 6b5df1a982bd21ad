import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { Code, ConnectError, createContextKey, type Interceptor } from '@connectrpc/connect'
import {
  Content,
  InfoRequestSchema,
  InfoResponseSchema,
  ReadContentResponseSchema,
  UpdateRequestSchema,
} from '@nsbox/api/gen/services/content/v1/content_pb'
import { expect, test } from 'vitest'
import { frame, rawCall } from '../../testing/grpc-call.ts'
import { serveRoutes } from '../../testing/serve-routes.ts'

const info = '/containerd.services.content.v1.Content/Info'
const update = '/containerd.services.content.v1.Content/Update'
const read = '/containerd.services.content.v1.Content/Read'
const request = (digest: string) => frame(toBinary(InfoRequestSchema, create(InfoRequestSchema, { digest })))

/** A server that records where calls were made and how they ended. */
async function served(shutdownSignal?: AbortSignal) {
  const ends: unknown[] = []
  let began = 0
  const routes = await serveRoutes(
    (router) =>
      router.service(Content, {
        async info({ digest }, { signal, requestHeader, responseHeader, responseTrailer, timeoutMs, url }) {
          if (digest === 'wait') {
            began++
            await setTimeout(60_000, undefined, { signal }).catch(() => ends.push(signal.reason))
            throw signal.reason
          }
          responseHeader.set('x-header', 'h')
          responseTrailer.set('x-trailer', 't')
          const labels = {
            namespace: requestHeader.get('containerd-namespace') ?? '',
            hasDeadline: String(timeoutMs() !== undefined),
            url,
          }
          return { info: { digest, labels } }
        },
        update: ({ info }) => ({ info: { ...info!, digest: 'a name that makes it longer' } }),
        async *read({ digest }, { signal }) {
          if (digest === 'wait') {
            yield { data: Buffer.from('first') }
            await setTimeout(60_000, undefined, { signal }).catch(() => ends.push(signal.reason))
            return
          }
          for (const size of [0, 1, 20_000, 3 << 20]) yield { data: new Uint8Array(size).fill(size % 251) }
          if (digest === 'bad') throw new ConnectError('no more', Code.DataLoss)
        },
      }),
    { shutdownSignal },
  )
  return {
    ends,
    address: routes.address,
    began: () => began,
    call: (path: string, body: Buffer, headers: Record<string, string | string[]> = {}, end = true) =>
      rawCall(routes.address, { ':path': path, ...headers }, { body, end }),
    [Symbol.asyncDispose]: () => routes[Symbol.asyncDispose](),
  }
}

/** The messages of an answer. */
function messages(body: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const length = body.readUInt32BE(at + 1)
    expect(body[at]).toBe(0)
    found.push(body.subarray(at + 5, at + 5 + length))
    at += 5 + length
  }
  return found
}

test('an answer has the headers, the message and the trailers that belong to it', async () => {
  await using server = await served()
  const reply = await server.call(info, request('x'), {
    'containerd-namespace': ['one', 'two'],
    'grpc-timeout': '10S',
  })
  expect(reply.headers).toMatchObject({
    ':status': 200,
    'content-type': 'application/grpc+proto',
    'x-header': 'h',
  })
  expect(reply.trailers).toMatchObject({ 'grpc-status': '0', 'x-trailer': 't' })
  const [message] = messages(reply.body)
  expect(fromBinary(InfoResponseSchema, message!).info).toMatchObject({
    digest: 'x',
    labels: { namespace: 'one, two', hasDeadline: 'true', url: `http://localhost${info}` },
  })
  expect(reply.resetCode).toBe(0)
})

test.each(['application/grpc', 'application/grpc+json'])(
  'what is set in the context of a call stays there until its end, for a call of type %s',
  async (type) => {
    const given = createContextKey('default')
    const taken = createContextKey('default')
    const seen: unknown[] = []
    const giving: Interceptor = (next) => async (call) => {
      seen.push(call.contextValues.get(given))
      call.contextValues.set(given, 'given').set(taken, 'to be deleted')
      const outcome = await next(call)
      seen.push(call.contextValues.get(given), call.contextValues.get(taken))
      return outcome
    }
    await using routes = await serveRoutes(
      (router) =>
        router.service(Content, {
          info(_, { values }) {
            seen.push(values.get(given), values.get(taken))
            values.set(given, 'changed').delete(taken)
            return {}
          },
        }),
      { inner: [giving] },
    )
    for (let call = 0; call < 2; call++) {
      seen.length = 0
      const body = type.endsWith('json') ? frame(Buffer.from('{"digest":"x"}')) : request('x')
      const { trailers } = await rawCall(routes.address, { ':path': info, 'content-type': type }, { body })
      expect(trailers['grpc-status']).toBe('0')
      expect(seen).toEqual(['default', 'given', 'to be deleted', 'changed', 'default'])
    }
  },
)

test('a stream of messages of all sizes arrives, and the error after them', async () => {
  await using server = await served()
  for (const [digest, status] of [
    ['good', '0'],
    ['bad', '15'],
  ] as const) {
    const { body, trailers } = await server.call(read, request(digest))
    const sizes = messages(body).map((bytes) => fromBinary(ReadContentResponseSchema, bytes).data.length)
    expect(sizes).toEqual([0, 1, 20_000, 3 << 20])
    expect(trailers['grpc-status']).toBe(status)
  }
})

test('a message does not wait for the next, and a client that leaves meanwhile ends the source', async () => {
  await using server = await served()
  const session = connectHttp2('http://localhost', { createConnection: () => connectSocket(server.address) })
  const stream = session.request({ ':method': 'POST', ':path': read, 'content-type': 'application/grpc' })
  stream.on('error', () => {})
  stream.end(request('wait'))
  const [piece] = (await once(stream, 'data')) as [Buffer]
  const [message] = messages(piece)
  expect(String(fromBinary(ReadContentResponseSchema, message!).data)).toBe('first')
  expect(server.ends).toEqual([])
  stream.close(8)
  await expect.poll(() => server.ends).toMatchObject([{ code: 'canceled' }])
  session.destroy()
})

test.each([
  ['no message', Buffer.alloc(0), '12'],
  ['a second message', Buffer.concat([request('x'), request('y')]), '12'],
  ['a byte too many', Buffer.concat([request('x'), Buffer.alloc(1)]), '12'],
  ['half a head', Buffer.alloc(3), '3'],
  ['half a message', request('xyz').subarray(0, 7), '3'],
  ['a compressed message', Buffer.concat([Buffer.of(1), request('x').subarray(1)]), '13'],
  ['no protobuf', frame(Buffer.of(0xff, 0xff, 0xff)), '13'],
])('%s is refused', async (_, body, status) => {
  await using server = await served()
  const { trailers, body: answer } = await server.call(info, body)
  expect(trailers['grpc-status']).toBe(status)
  expect(answer).toHaveLength(0)
})

test('what is seen to be wrong is refused before the client has ended, and its stream reset', async () => {
  await using server = await served()
  const { trailers, resetCode } = await server.call(
    info,
    Buffer.concat([request('x'), request('y')]),
    {},
    false,
  )
  expect(trailers['grpc-status']).toBe('12')
  expect(resetCode).toBe(0)
})

test('a message may come byte by byte', async () => {
  await using server = await served()
  const session = connectHttp2('http://localhost', { createConnection: () => connectSocket(server.address) })
  const stream = session.request({ ':method': 'POST', ':path': info, 'content-type': 'application/grpc' })
  for (const byte of request('slow')) {
    stream.write(Buffer.of(byte))
    await setTimeout(1)
  }
  stream.end()
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece as Buffer)
  session.close()
  const [message] = messages(Buffer.concat(pieces))
  expect(fromBinary(InfoResponseSchema, message!).info?.digest).toBe('slow')
})

test('a message of 16 MiB is read, in as many pieces as it comes', async () => {
  await using server = await served()
  const message = create(UpdateRequestSchema, { info: { labels: { x: 'x'.repeat((16 << 20) - 20) } } })
  const { body, trailers } = await server.call(update, frame(toBinary(UpdateRequestSchema, message)))
  // The whole answer is too large to be sent.
  expect([body.length, trailers['grpc-status']]).toEqual([0, '8'])
  expect(decodeURIComponent(trailers['grpc-message'] ?? '')).toMatch(/^message size 16777\d{3} /)
})

test('compression and JSON are left to those who know them', async () => {
  await using server = await served()
  const compressed = await server.call(info, request('x'), { 'grpc-encoding': 'gzip' })
  expect(compressed.trailers['grpc-status']).toBe('12')
  const json = await server.call(info, frame(Buffer.from('{"digest":"j"}')), {
    'content-type': 'application/grpc+json',
  })
  expect(JSON.parse(String(messages(json.body)[0]))).toMatchObject({ info: { digest: 'j' } })
})

test('a deadline that is none is refused; one that passes while the message is awaited ends the call', async () => {
  await using server = await served()
  expect((await server.call(info, request('x'), { 'grpc-timeout': 'soon' })).trailers['grpc-status']).toBe(
    '3',
  )
  const late = await server.call(info, request('x').subarray(0, 3), { 'grpc-timeout': '20m' }, false)
  expect(late.trailers['grpc-status']).toBe('4')
})

test('the end of the server, and a client that leaves, end calls with their reasons', async () => {
  const shutdown = new AbortController()
  await using server = await served(shutdown.signal)
  const session = connectHttp2('http://localhost', { createConnection: () => connectSocket(server.address) })
  const stream = session.request({ ':method': 'POST', ':path': info, 'content-type': 'application/grpc' })
  stream.on('error', () => {})
  stream.end(request('wait'))
  await expect.poll(server.began).toBe(1)
  stream.close(8)
  await expect.poll(() => server.ends).toMatchObject([{ code: 'canceled' }])
  session.destroy()

  const waiting = server.call(info, request('wait'))
  const reading = server.call(info, request('x').subarray(0, 3), {}, false)
  await expect.poll(server.began).toBe(2)
  shutdown.abort(new ConnectError('the server is shutting down', Code.Unavailable))
  expect((await waiting).trailers['grpc-status']).toBe('14')
  expect((await reading).trailers['grpc-status']).toBe('14')
  expect((await server.call(info, request('wait'))).trailers['grpc-status']).toBe('14')
})
