import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { type Message, toBinary } from '@bufbuild/protobuf'
import { Content, UpdateRequestSchema } from '@nsbox/api/gen/services/content/v1/content_pb'
import { Streaming } from '@nsbox/api/gen/services/streaming/v1/streaming_pb'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { versionRoutes } from '../routes/version.ts'
import { frame, rawCall } from '../testing/grpc-call.ts'
import { type ServedRoutes, serveRoutes } from '../testing/serve-routes.ts'

const path = (service: { typeName: string }, method: string) => `/${service.typeName}/${method}`
const update = path(Content, 'Update')
const write = path(Content, 'Write')
const times = (count: number, ...bytes: number[]) => Buffer.alloc(count * bytes.length, Buffer.of(...bytes))
const mebibytes = (count: number) => count * (1 << 20)

let resources: AsyncDisposableStack
let served: ServedRoutes
let received: Message[]
let asked: number

beforeEach(() => serve())

async function serve(options: { patience?: number } = {}): Promise<void> {
  resources = new AsyncDisposableStack()
  received = []
  asked = 0
  served = resources.use(
    await serveRoutes((router) => {
      versionRoutes(router)
      router.service(Content, {
        update(request) {
          received.push(request)
          return {}
        },
        async *write(requests) {
          for await (const request of requests) {
            received.push(request)
            yield {}
          }
        },
        async *read(_, { signal }) {
          asked++
          for (let pieces = 0; pieces < 100 && !signal.aborted; pieces++)
            yield { data: new Uint8Array(256 << 10) }
        },
      })
      router.service(Streaming, {
        async *stream(requests) {
          for await (const request of requests) yield request
        },
      })
    }, options),
  )
}
afterEach(() => resources.disposeAsync())

/** A connection whose client does as it likes. */
function hostile() {
  const session = connectHttp2('http://localhost', {
    createConnection: () => connectSocket(served.address),
    maxSessionMemory: 2000,
  })
  session.on('error', () => {})
  resources.defer(() => session.destroy())
  const open = (to: string, headers = {}): ClientHttp2Stream => {
    const stream = session.request({
      ':method': 'POST',
      ':path': to,
      'content-type': 'application/grpc',
      ...headers,
    })
    stream.on('error', () => {})
    return stream
  }
  return { session, open }
}

/** The status of a call when it has ended. */
function status(stream: ClientHttp2Stream): Promise<string> {
  return new Promise((resolve) => {
    let found = 'none'
    const onHeaders = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) found = String(headers['grpc-status'])
    }
    stream.on('response', onHeaders)
    stream.on('trailers', onHeaders)
    stream.on('close', () => resolve(found))
    stream.resume()
  })
}

const isAlive = async () => {
  const { trailers } = await rawCall(
    served.address,
    { ':path': path(Version, 'Version') },
    { body: frame(Buffer.of()) },
  )
  return trailers['grpc-status']
}

/** A message with one field that nobody knows. */
const oneText = (bytes: number) =>
  Buffer.concat([
    Buffer.of(0x7a, ...[0, 7, 14, 21].map((shift) => ((bytes >> shift) & 0x7f) | (shift < 21 ? 0x80 : 0))),
    Buffer.alloc(bytes),
  ])

const head = (length: number) => {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt32BE(length, 1)
  return bytes
}

describe('E05 one message', () => {
  test('of a method with small requests is refused by its length alone, from 64 KiB on', async () => {
    const { open } = hostile()
    const stream = open(path(Version, 'Version'))
    stream.write(head((64 << 10) + 1))
    expect(await status(stream)).toBe('8')
  })

  test.each([
    ['unknown fields', times(mebibytes(8), 0x78, 0x01)],
    ['unknown groups', times(mebibytes(8), 0x7b, 0x7c)],
    ['an empty text', times(mebibytes(8), 0x12, 0x00)],
  ])('of 16 MiB with nothing but %s is refused before it is decoded', async (_, bytes) => {
    for (const to of [update, write]) {
      const { trailers } = await rawCall(
        served.address,
        { ':path': to },
        { body: frame(bytes.subarray(0, mebibytes(16) - 2)) },
      )
      expect(trailers['grpc-status']).toBe('8')
      expect(decodeURIComponent(trailers['grpc-message']!)).toMatch(/65536 fields/)
    }
    expect(received).toEqual([])
    await expect.poll(() => served.budgets.requests.total + served.budgets.decoded.total).toBe(0)
  })

  test.each([
    ['gRPC', 'application/grpc', update, true],
    ['gRPC in a stream', 'application/grpc', write, true],
    ['gRPC-Web', 'application/grpc-web+proto', update, true],
    ['Connect', 'application/proto', update, false],
    ['a stream of Connect', 'application/connect+proto', write, true],
  ])('has its unknown fields left out: %s', async (_, type, to, isFramed) => {
    const bytes = times(10, 0x78, 0x01)
    await rawCall(
      served.address,
      { ':path': to, 'content-type': type },
      { body: isFramed ? frame(bytes) : bytes },
    )
    expect(received).toHaveLength(1)
    expect(received[0]).not.toHaveProperty('$unknown')
  })

  test.each([
    ['gRPC-Web', 'application/grpc-web+proto', update, true, times(65_537, 0x78, 1)],
    ['Connect', 'application/proto', update, false, times(65_537, 0x78, 1)],
    ['a stream of Connect', 'application/connect+proto', write, true, times(65_537, 0x78, 1)],
    [
      'JSON with many values',
      'application/json',
      update,
      false,
      Buffer.from(`{"x":[${'1,'.repeat(65_537)}1]}`),
    ],
    ['JSON with many levels', 'application/json', update, false, Buffer.from(`{"x":${'['.repeat(10_000)}`)],
    ['JSON of more than 1 MiB', 'application/json', update, false, Buffer.alloc(mebibytes(1) + 1, ' ')],
    ['JSON in a stream', 'application/connect+json', write, true, Buffer.alloc(mebibytes(1) + 1, ' ')],
    ['JSON over gRPC', 'application/grpc+json', update, true, Buffer.alloc(mebibytes(1) + 1, ' ')],
  ])('is held to the same over %s', async (_, type, to, isFramed, bytes) => {
    const { body, trailers } = await rawCall(
      served.address,
      { ':path': to, 'content-type': type },
      { body: isFramed ? frame(bytes) : bytes },
    )
    expect(trailers['grpc-status'] ?? String(body)).toMatch(/^8$|resource_exhausted|grpc-status: 8/)
    expect(received).toEqual([])
  })

  test('as large as is allowed, with as many fields, is read', async () => {
    const labels = Object.fromEntries(
      Array.from({ length: 16_384 }, (_, i) => [`label-${i}`, 'x'.repeat(900)]),
    )
    const bytes = toBinary(UpdateRequestSchema, {
      $typeName: 'containerd.services.content.v1.UpdateRequest',
      info: { $typeName: 'containerd.services.content.v1.Info', digest: '', size: 0n, labels },
    })
    expect(bytes.length).toBeGreaterThan(mebibytes(14))
    const { trailers } = await rawCall(served.address, { ':path': update }, { body: frame(bytes) })
    expect(trailers['grpc-status']).toBe('0')
  })
})

describe('E07 unfinished messages', () => {
  test('of sixty calls hold no more than is allowed for a connection, and nothing once that has closed', async () => {
    const { session, open } = hostile()
    const statuses = Array.from({ length: 60 }, () => {
      const stream = open(update)
      stream.write(head(mebibytes(16)))
      stream.write(Buffer.alloc(mebibytes(15)))
      return status(stream)
    })
    const { arriving, requests } = served.budgets
    await expect.poll(() => requests.total).toBeGreaterThan(0)
    expect(requests.total).toBeLessThanOrEqual(mebibytes(32))
    expect(arriving.total).toBeLessThanOrEqual(60 * (64 << 10))
    expect(await isAlive()).toBe('0')
    session.destroy()
    await Promise.all(statuses)
    await expect.poll(() => requests.total + arriving.total).toBe(0)
  })

  test('of one connection do not hold up another', async () => {
    const { open } = hostile()
    for (let i = 0; i < 10; i++) {
      const stream = open(update)
      stream.write(head(mebibytes(16)))
      stream.write(Buffer.alloc(1000))
    }
    await expect.poll(() => served.budgets.requests.total).toBe(mebibytes(32))
    const other = await rawCall(served.address, { ':path': update }, { body: frame(oneText(mebibytes(15))) })
    expect(other.trailers['grpc-status']).toBe('0')
  })

  test('wait for each other, and all come', async () => {
    const { open } = hostile()
    const ends = Array.from({ length: 8 }, () => {
      const stream = open(update)
      stream.end(frame(oneText(mebibytes(10))))
      return status(stream)
    })
    expect(await Promise.all(ends)).toEqual(Array.from({ length: 8 }, () => '0'))
    expect(served.budgets.requests.total).toBe(0)
  })

  test('that do not go on are ended in time, whichever way they come', async () => {
    await resources.disposeAsync()
    await serve({ patience: 400 })
    const { open } = hostile()
    const part = Buffer.concat([head(1000), Buffer.alloc(10)])
    const calls = [
      open(update),
      open(write),
      open(update, { 'content-type': 'application/grpc-web+proto' }),
      open(write, { 'content-type': 'application/connect+proto' }),
    ]
    const silent = [open(update), open(write)]
    for (const stream of calls) stream.write(part)
    const ends = await Promise.all([...calls, ...silent].map(status))
    expect(ends.filter((end) => end === '4')).toHaveLength(4)
    expect(served.budgets.arriving.total).toBe(0)
  })

  test('a stream may be silent between its messages', async () => {
    await resources.disposeAsync()
    await serve({ patience: 400 })
    const { open } = hostile()
    const stream = open(write)
    const end = status(stream)
    stream.write(frame(Buffer.of()))
    await new Promise((resolve) => setTimeout(resolve, 1000))
    stream.end(frame(Buffer.of()))
    expect(await end).toBe('0')
    expect(received).toHaveLength(2)
  })

  test('of HTTP/1.1 count as well, and are let go of with the connection', async () => {
    const request = httpRequest({
      socketPath: served.address,
      method: 'POST',
      path: update,
      headers: { 'content-type': 'application/proto', 'content-length': mebibytes(16) },
    })
    request.on('error', () => {})
    request.write(Buffer.alloc(mebibytes(1)))
    await expect.poll(() => served.budgets.requests.total).toBe(mebibytes(32))
    request.destroy()
    await expect.poll(() => served.budgets.requests.total).toBe(0)
  })

  test('streams that nobody reads are bounded in number', async () => {
    const { session, open } = hostile()
    const refused: string[] = []
    for (let i = 0; i < 600; i++) {
      const end = status(open(write))
      end.then((code) => refused.push(code))
    }
    await expect.poll(() => refused.length, { timeout: 10_000 }).toBe(600 - 512)
    expect(new Set(refused)).toEqual(new Set(['8']))
    session.destroy()
    await expect.poll(() => served.budgets.arriving.total).toBe(0)
  })
})

describe('D17 a process is cut off', () => {
  test('that begins large messages on one connection after the other and does not end them', async () => {
    const { session: watch } = hostile()
    const cutOff = once(watch, 'close')
    for (let count = 0; count < 6 && !watch.closed; count++) {
      const { session, open } = hostile()
      const sent = [open(update), open(update)].map((stream) => {
        stream.write(head(mebibytes(16)))
        return new Promise((resolve) => stream.write(Buffer.alloc(mebibytes(15)), resolve))
      })
      await Promise.all(sent)
      session.destroy()
      await expect.poll(() => served.budgets.requests.total).toBe(0)
    }
    await cutOff
  })

  test('that makes connections by the thousand and says nothing in them', async () => {
    const { session: watch } = hostile()
    await once(watch, 'remoteSettings')
    const cutOff = once(watch, 'close')
    for (let count = 0; count < 4000 && !watch.closed; count++) {
      const socket = connectSocket(served.address)
      socket.on('error', () => {})
      await once(socket, 'connect').catch(() => undefined)
      socket.destroy()
    }
    await cutOff
  })
})

describe('D16 answers that nobody takes', () => {
  test('are made no more of than there is room for, one connection not at the cost of another', async () => {
    const { session, open } = hostile()
    for (let i = 0; i < 200; i++) open(path(Content, 'Read')).end(frame(Buffer.of()))
    await expect.poll(() => asked).toBe(64)
    expect(served.budgets.answers.total).toBe(mebibytes(32))
    const { open: openOther } = hostile()
    const other = openOther(path(Content, 'Read'))
    other.end(frame(Buffer.of()))
    expect(await status(other)).toBe('0')
    expect(asked).toBe(65)
    session.destroy()
    await expect.poll(() => served.budgets.answers.total).toBe(0)
  })

  test('cut off a client of a stream both ways that does not read', async () => {
    const { open } = hostile()
    const streams = Array.from({ length: 40 }, () => {
      const stream = open(path(Streaming, 'Stream'))
      stream.pause()
      // An Any with a value of 1 MiB, sent back as it came.
      const message = Buffer.concat([Buffer.of(0x12, 0x80, 0x80, 0x40), Buffer.alloc(mebibytes(1))])
      for (let i = 0; i < 3; i++) stream.write(frame(message))
      return stream
    })
    const reset = () => streams.filter(({ rstCode }) => rstCode === 11).length
    await expect.poll(reset).toBeGreaterThan(0)
    expect(served.budgets.answers.total).toBeLessThanOrEqual(mebibytes(32))
    expect(await isAlive()).toBe('0')
  })
})
