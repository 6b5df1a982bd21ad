import { EventEmitter, once } from 'node:events'
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import { connect } from 'node:net'
import { createClient } from '@connectrpc/connect'
import { Content } from '@nsbox/api/gen/services/content/v1/content_pb'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import { expect, test } from 'vitest'
import { versionRoutes } from '../routes/version.ts'
import { socketTransport } from '../testing/grpc-call.ts'
import { serveRoutes } from '../testing/serve-routes.ts'
import { rotateSession } from './session-rotation.ts'

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

/** Frames of HTTP/2 (RFC 9113 §4.1). */
const frameType = { data: 0, headers: 1, settings: 4, goaway: 7 } as const

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A call with a message of no fields, with its headers as literals (RFC 7541 §6.2.2). */
function call(path: string, stream: number): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.of(value.length), Buffer.from(value)])
  const headers = [
    ...[Buffer.of(0x83, 0x86, 0x04), text(path)],
    ...[Buffer.of(0x01), text('localhost'), Buffer.of(0x0f, 0x10), text('application/grpc')],
    ...[Buffer.of(0x00), text('te'), text('trailers')],
  ]
  return Buffer.concat([
    frame(frameType.headers, 4, stream, Buffer.concat(headers)),
    frame(frameType.data, 1, stream, Buffer.alloc(5)),
  ])
}

/** Calls a method over one connection, forty times at once, until its end is told or so many calls are answered. */
async function callUntil(enough: number, { address, path }: { address: string; path: string }) {
  const socket = connect(address)
  const progress = new EventEmitter()
  const answered = new Set<number>()
  const lasts: number[] = []
  let bytes = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      if (bytes[3] === frameType.headers) answered.add(bytes.readUInt32BE(5))
      if (bytes[3] === frameType.goaway) lasts.push(bytes.readUInt32BE(9))
      bytes = bytes.subarray(9 + bytes.readUIntBE(0, 3))
    }
    progress.emit('frame')
  })
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(frame(frameType.settings, 0, 0, Buffer.alloc(0)))
  const streams: number[] = []
  while (lasts.length < 2 && answered.size < enough) {
    const next = Array.from({ length: 40 }, (_, index) => 2 * (streams.length + index) + 1)
    socket.write(Buffer.concat(next.map((stream) => call(path, stream))))
    streams.push(...next)
    while (lasts.length < 2 && answered.size < streams.length) await once(progress, 'frame')
  }
  const served = streams.filter((stream) => stream <= (lasts[1] ?? Number.POSITIVE_INFINITY))
  while (served.some((stream) => !answered.has(stream))) await once(progress, 'frame')
  return {
    socket,
    served,
    answered: [...answered].sort((a, b) => a - b),
    lasts,
    next: 2 * streams.length + 1,
  }
}

test('a connection tells at once which call is its last, and serves just those until it', async () => {
  let calls = 0
  await using served = await serveRoutes((router) =>
    router.service(Content, {
      async *read() {
        calls++
        yield {}
      },
    }),
  )
  const path = '/containerd.services.content.v1.Content/Read'
  const end = await callUntil(10_000, { address: served.address, path })
  end.socket.write(call(path, end.next))
  await once(end.socket, 'close')
  expect(end.answered).toEqual(end.served)
  expect(calls).toBe(end.served.length)
  expect(calls).toBeGreaterThanOrEqual(500)
})

test('calls with one answer do not wear out their connection', async () => {
  await using served = await serveRoutes(versionRoutes)
  const path = '/containerd.services.version.v1.Version/Version'
  const { socket, answered, lasts } = await callUntil(2000, { address: served.address, path })
  socket.destroy()
  expect(lasts).toEqual([])
  expect(answered).toHaveLength(2000)
})

test('a stream that comes while the end of its connection is still to be told is not admitted', async () => {
  const told: unknown[] = []
  const session = Object.assign(new EventEmitter(), {
    state: { outboundQueueSize: 1, lastProcStreamID: 1003 },
    goaway: (...args: unknown[]) => {
      told.push(args)
      session.emit('told')
    },
  })
  const { admits } = rotateSession(session as unknown as ServerHttp2Session, () => false)
  const streamOf = (id: number) => Object.assign(new EventEmitter(), { id }) as unknown as ServerHttp2Stream
  for (let id = 1; told.length === 0; id += 2) session.emit('stream', streamOf(id), {})
  expect(admits(streamOf(1005))).toBe(true)
  // The client does not read.
  await once(session, 'told')
  session.emit('close')
  expect(told).toEqual([
    [0, 2 ** 31 - 1],
    [0, 1003],
  ])
  expect([1001, 1003, 1005].map((id) => admits(streamOf(id)))).toEqual([true, true, false])
})

test('calls that end with their connection, however many, end nothing else', async () => {
  await using served = await serveRoutes(versionRoutes)
  const socket = connect(served.address)
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(frame(frameType.settings, 0, 0, Buffer.alloc(0)))
  const path = '/containerd.services.version.v1.Version/Version'
  // Without their messages.
  for (let stream = 1; stream < 2000; stream += 2) socket.write(call(path, stream).subarray(0, -14))
  await once(socket, 'data')
  socket.destroy()
  await expect.poll(() => served.connections()).toBe(0)
  using client = socketTransport(served.address)
  expect((await createClient(Version, client.transport).version({})).version).not.toBe('')
})
