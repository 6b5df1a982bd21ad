import { request } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { create, toBinary } from '@bufbuild/protobuf'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { createConnectTransport, createGrpcWebTransport, Http2SessionManager } from '@connectrpc/connect-node'
import { Content, WriteContentRequestSchema } from '@nsbox/api/gen/services/content/v1/content_pb'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import { NsboxError } from '@nsbox/errors'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { versionRoutes } from '../routes/version.ts'
import { frame, rawCall, socketTransport } from '../testing/grpc-call.ts'
import { type ServedRoutes, serveRoutes } from '../testing/serve-routes.ts'

let served: ServedRoutes
let endedStreams = 0

beforeAll(async () => {
  served = await serveRoutes((router) => {
    versionRoutes(router)
    router.service(Content, {
      // biome-ignore lint/correctness/useYield: it fails before it has anything to say
      async *write(requests) {
        for await (const { ref } of requests)
          throw new NsboxError('invalid_argument', `ref ${ref} is refused`)
      },
      async *read({ size }, { signal }) {
        try {
          for (let i = 0; i < Number(size); i++) yield { data: new Uint8Array(1 << 20) }
        } finally {
          if (signal.aborted) endedStreams++
        }
      },
      async status({ ref }, { signal }) {
        await setTimeout(Number(ref), undefined, { signal })
        return {}
      },
      info({ digest }) {
        throw new NsboxError('not_found', `content ${digest}`, { details: { n: 1 } })
      },
    })
  })
})
afterAll(() => served[Symbol.asyncDispose]())

describe('what does not exist', () => {
  test.each([
    ['/some.Service/Method', 'unknown service some.Service'],
    [
      '/containerd.services.version.v1.Version/Nothing',
      'unknown method Nothing for service containerd.services.version.v1.Version',
    ],
    ['/', 'unknown service '],
    ['/a%0d%0ab/c', 'unknown service a%0d%0ab'],
    ['/%', 'unknown service %'],
  ])('%s answers over gRPC as unimplemented', async (path, message) => {
    const { headers, headersOnly } = await rawCall(served.address, { ':path': path })
    expect(headers).toMatchObject({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' })
    expect(decodeURIComponent(headers['grpc-message'] ?? '')).toBe(message)
    expect(headersOnly).toBe(true)
  })

  test('answers gRPC-Web in its own type and others with 404', async () => {
    const web = await rawCall(served.address, {
      ':path': '/x.Y/Z',
      'content-type': 'application/grpc-web+proto',
    })
    expect(web.headers).toMatchObject({ ':status': 200, 'grpc-status': '12' })
    const other = await rawCall(served.address, { ':path': '/x.Y/Z', 'content-type': 'application/json' })
    expect(other.headers[':status']).toBe(404)
    expect(JSON.parse(other.body.toString())).toEqual({
      code: 'unimplemented',
      message: 'unknown service x.Y',
    })
  })

  test('a method that its service does not implement is unimplemented', async () => {
    const { trailers } = await rawCall(
      served.address,
      { ':path': '/containerd.services.content.v1.Content/Abort' },
      { body: frame(new Uint8Array()) },
    )
    expect(trailers['grpc-status']).toBe('12')
  })
})

describe('errors', () => {
  test('travel with code, message and details', async () => {
    using client = socketTransport(served.address)
    const failure = await createClient(Content, client.transport)
      .info({ digest: 'x' })
      .catch((error) => error)
    expect(failure).toBeInstanceOf(ConnectError)
    expect(failure).toMatchObject({ code: Code.NotFound, rawMessage: 'content x: not found' })
  })

  test('an answer before the client’s last message ends the stream of a client that goes on sending', async () => {
    const message = toBinary(WriteContentRequestSchema, create(WriteContentRequestSchema, { ref: 'r' }))
    const reply = await rawCall(
      served.address,
      { ':path': '/containerd.services.content.v1.Content/Write' },
      { body: frame(message), end: false },
    )
    expect(reply.trailers).toMatchObject({
      'grpc-status': '3',
      'grpc-message': encodeURIComponent('ref r is refused: invalid argument'),
    })
    expect(reply.resetCode).toBe(0)
  })

  test('an unknown method ends the stream of a client that goes on sending', async () => {
    const { headers } = await rawCall(
      served.address,
      { ':path': '/x.Y/Z' },
      { body: frame(new Uint8Array(9)), end: false },
    )
    expect(headers['grpc-status']).toBe('12')
  })

  test('a deadline ends a call', async () => {
    using client = socketTransport(served.address)
    const began = performance.now()
    const failure = await createClient(Content, client.transport)
      .status({ ref: '20000' }, { timeoutMs: 50 })
      .catch((error) => error)
    expect(failure.code).toBe(Code.DeadlineExceeded)
    expect(performance.now() - began).toBeLessThan(5000)
    const { trailers } = await rawCall(
      served.address,
      { ':path': '/containerd.services.content.v1.Content/Status', 'grpc-timeout': '50m' },
      { body: frame(Buffer.from('\x0a\x0520000')) },
    )
    expect(trailers['grpc-status']).toBe('4')
  })

  test('D05 a message beyond 16 MiB is refused by its length alone', async () => {
    const head = Buffer.from([0, 0x01, 0x00, 0x00, 0x01])
    const { trailers } = await rawCall(
      served.address,
      { ':path': '/containerd.services.version.v1.Version/Version' },
      { body: head, end: false },
    )
    expect(trailers['grpc-status']).toBe('8')
  })
})

describe('protocols', () => {
  test('gRPC-Web and Connect are served over HTTP/2', async () => {
    const manager = new Http2SessionManager(
      'http://localhost',
      {},
      { createConnection: () => connectSocket(served.address) },
    )
    const options = { baseUrl: 'http://localhost', httpVersion: '2', sessionManager: manager } as const
    for (const transport of [createGrpcWebTransport(options), createConnectTransport(options)]) {
      expect((await createClient(Version, transport).version({})).version).toMatch(/^\d/)
    }
    manager.abort()
  })

  test('Connect is served over HTTP/1.1, in JSON for people', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const req = request(
        {
          socketPath: served.address,
          method: 'POST',
          path: '/containerd.services.version.v1.Version/Version',
          headers: { 'content-type': 'application/json' },
        },
        (response) => response.setEncoding('utf8').on('data', resolve),
      )
      req.on('error', reject)
      req.end('{}')
    })
    expect(JSON.parse(answer).version).toMatch(/^\d/)
  })

  test('the first bytes may come one by one', async () => {
    const socket = connectSocket(served.address)
    for (const byte of 'POST /x.Y/Z HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n') {
      socket.write(byte)
      await setTimeout(1)
    }
    let text = ''
    for await (const chunk of socket) text += chunk
    expect(text).toContain('404')
  })

  test.each(['%2Frun%2Fx.sock', 'x:y:z', '['])('authority %j does not matter', async (authority) => {
    const { trailers } = await rawCall(
      served.address,
      { ':path': '/containerd.services.version.v1.Version/Version', ':authority': authority },
      { body: frame(new Uint8Array()) },
    )
    expect(trailers['grpc-status']).toBe('0')
  })
})

describe('hostile connections', () => {
  const alive = async () => {
    using client = socketTransport(served.address)
    return (await createClient(Version, client.transport).version({})).version
  }

  test('D17 headers beyond the limit are refused', async () => {
    const refused = await rawCall(served.address, { ':path': '/x.Y/Z', 'x-much': 'x'.repeat(200_000) }).then(
      ({ headers }) => String(headers[':status']) !== '200',
      () => true,
    )
    expect(refused).toBe(true)
    expect(await alive()).toMatch(/^\d/)
  })

  test('D17 a client that resets streams without end loses its connection, and nobody else does', async () => {
    const session = connectHttp2('http://localhost', {
      createConnection: () => connectSocket(served.address),
    })
    let opened = 0
    session.on('error', () => {})
    while (!session.closed && !session.destroyed && opened < 20_000) {
      const stream = session.request({ ':path': '/x.Y/Z', ':method': 'POST' })
      stream.on('error', () => {})
      stream.close(8)
      opened++
      if (opened % 100 === 0) await setTimeout(1)
    }
    session.destroy()
    expect(opened).toBeLessThan(10_000)
    expect(await alive()).toMatch(/^\d/)
  })

  test('D17 bytes that are no HTTP at all are answered by closing', async () => {
    for (const bytes of ['\x00\x01\x02', 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', `${'x'.repeat(70_000)}\r\n`]) {
      const socket = connectSocket(served.address)
      socket.on('error', () => {})
      socket.write(bytes)
      socket.resume()
      await new Promise((resolve) => socket.once('close', resolve))
    }
    expect(await alive()).toMatch(/^\d/)
  })

  test('D03 a client that dies while it is being sent to, and one that gives up, end their calls', async () => {
    const before = endedStreams
    const socket = connectSocket(served.address)
    const session = connectHttp2('http://localhost', { createConnection: () => socket })
    session.on('error', () => {})
    const stream = session.request({
      ':path': '/containerd.services.content.v1.Content/Read',
      ':method': 'POST',
      'content-type': 'application/grpc',
    })
    stream.on('error', () => {})
    // Field 3, varint 127: more than fits into any window, and none of it is read.
    stream.end(frame(Buffer.from([0x18, 0x7f])))
    await new Promise((resolve) => stream.once('response', resolve))
    socket.destroy()
    await expect.poll(() => endedStreams).toBe(before + 1)

    using client = socketTransport(served.address)
    const controller = new AbortController()
    const messages = createClient(Content, client.transport).read(
      { size: 127n },
      { signal: controller.signal },
    )
    await messages[Symbol.asyncIterator]().next()
    controller.abort()
    await expect.poll(() => endedStreams).toBe(before + 2)
  })
})
