import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { DescMethod, DescService } from '@bufbuild/protobuf'
import { decodeMessage } from '@nsbox/api'
import { Containers } from '@nsbox/api/gen/services/containers/v1/containers_pb'
import { Content } from '@nsbox/api/gen/services/content/v1/content_pb'
import { Diff } from '@nsbox/api/gen/services/diff/v1/diff_pb'
import { Events } from '@nsbox/api/gen/services/events/v1/events_pb'
import { Images } from '@nsbox/api/gen/services/images/v1/images_pb'
import { Introspection } from '@nsbox/api/gen/services/introspection/v1/introspection_pb'
import { Leases } from '@nsbox/api/gen/services/leases/v1/leases_pb'
import { Namespaces } from '@nsbox/api/gen/services/namespaces/v1/namespace_pb'
import { Snapshots } from '@nsbox/api/gen/services/snapshots/v1/snapshots_pb'
import { Tasks } from '@nsbox/api/gen/services/tasks/v1/tasks_pb'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import { digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { attempt, fuzz, mutatedBytes, shown } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { afterAll, expect } from 'vitest'
import { versionRoutes } from './routes/version.ts'
import { Conduct } from './rpc/conduct.ts'
import { startServer } from './start.ts'
import { frame, rawCall } from './testing/grpc-call.ts'
import { startPeerRelay } from './testing/peer-relay.ts'
import { sampleMessage } from './testing/sample-message.ts'
import { serveRoutes } from './testing/serve-routes.ts'

const services: readonly DescService[] = [
  Containers,
  Content,
  Diff,
  Events,
  Images,
  Introspection,
  Leases,
  Namespaces,
  Snapshots,
  Tasks,
  Version,
]
/** These calls answer when an event happens. */
const waiting = new Set(['Subscribe', 'Wait'])
const methods = services.flatMap(({ methods }) => methods.filter(({ name }) => !waiting.has(name)))
const pathOf = ({ parent, name }: DescMethod) => `/${parent.typeName}/${name}`

const digest = digestOf('nothing')
const samples = {
  digest,
  expected: digest,
  chain_id: digest,
  name: 'fuzz',
  id: 'fuzz',
  ref: 'fuzz',
  key: 'fuzz',
  snapshotter: 'native',
  container_id: 'fuzz',
  exec_id: 'more',
  media_type: 'application/vnd.oci.image.manifest.v1+json',
  type: 'bind',
  source: '/nsbox-nowhere',
  target: '/nsbox-nowhere',
  image: 'fuzz',
  filters: 'name==fuzz',
  topic: '/fuzz/one',
  paths: 'labels',
  parent: '',
}

const dir = await tempDir('nsbox-requests')
const server = await startServer({
  root: join(dir.path, 'root'),
  state: join(dir.path, 'state'),
  durability: 'relaxed',
})
/** A server that treats each connection as a client of its own, so that none is paused because of another. */
const lenient = await serveRoutes(versionRoutes, { conduct: new Conduct({ clientOf: (socket) => socket }) })
/** Another client, which must not be affected. */
const other = await startPeerRelay(server.address)
afterAll(async () => {
  session?.destroy()
  await other[Symbol.asyncDispose]()
  await lenient[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  await dir[Symbol.asyncDispose]()
})

/** Checks that the server answers others. */
async function expectAlive(address = other.address): Promise<void> {
  const { trailers, headers } = await rawCall(
    address,
    { ':path': pathOf(Version.method.version) },
    { body: frame(Buffer.alloc(0)) },
  )
  expect(trailers['grpc-status'] ?? headers['grpc-status']).toBe('0')
}

let session: ClientHttp2Session | undefined
function connected(): ClientHttp2Session {
  if (session === undefined || session.destroyed || session.closed) {
    session = connectHttp2('http://localhost', { createConnection: () => connect(server.address) })
    session.on('error', () => undefined)
    session.once('goaway', () => session?.close())
  }
  return session
}

/** @returns the status, or `reset` and its code */
function called(path: string, body: Buffer, headers: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve) => {
    const stream = connected().request(
      {
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        'containerd-namespace': 'fuzz',
        ...headers,
      },
      { endStream: false },
    )
    let status: string | undefined
    const look = (fields: Record<string, unknown>) => {
      if (fields['grpc-status'] !== undefined) status = String(fields['grpc-status'])
    }
    stream.once('response', look).once('trailers', look)
    stream.on('error', () => undefined)
    stream.once('close', () => resolve(status ?? `reset ${stream.rstCode}`))
    stream.resume()
    stream.end(body)
  })
}

const call = fc.constantFrom(...methods).chain((method) =>
  fc.record({
    method: fc.constant(method),
    body: mutatedBytes([sampleMessage(method.input, samples), sampleMessage(method.input, samples, '')], {
      most: 3,
      dictionary: [digest, '\x0a', '\x12', '\xff\xff\xff\xff\x0f', 'labels."x"', '../..', '\0'],
    }),
    lie: fc.oneof(
      { weight: 8, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.constantFrom(-1, 1, 1000, 2 ** 31, 0xffff_fff0) },
    ),
    flags: fc.oneof(
      { weight: 8, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.constantFrom(1, 2, 0x80, 0xff) },
    ),
  }),
)

let runs = 0
fuzz(
  'D05 every method answers every message with a status, and none of them with an error of its own',
  call,
  async ({ method, body, lie, flags }) => {
    const framed = frame(body)
    framed[0] = flags
    framed.writeUInt32BE((body.length + lie) >>> 0, 1)
    const status = await called(pathOf(method), framed)
    if (runs++ % 100 === 0) await expectAlive()
    // gRPC uses `internal` for bytes that are no message of the type, or are compressed without an agreement. The
    // frame's length counts, which may be less than the bytes after it.
    const sent = body.subarray(0, framed.readUInt32BE(1))
    const { outcome } = attempt(() => decodeMessage(method.input, sent))
    const allowed = flags === 0 && outcome === 'accepted' ? /^(?:[013-9]|1[0124-6])$/ : /^(?:[013-9]|1[0-6])$/
    expect(status, method.name).toMatch(allowed)
    return status === '0' ? 'accepted' : `status ${status}`
  },
  { runs: 200 },
)

const timeout = mutatedBytes(['10S', '99999999H', '1n', '5m', '0u', '100000000S'], { most: 2 }).map((bytes) =>
  bytes
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, '')
    .trim(),
)

fuzz(
  'a deadline is kept, or refused, and never taken for another one',
  timeout,
  async (text) => {
    const status = await called(pathOf(Version.method.version), frame(Buffer.alloc(0)), {
      'grpc-timeout': text,
    })
    const match = /^([0-9]{1,8})[HMSmun]$/.exec(text.trim())
    if (match === null) expect(status).toBe('3')
    // The call takes less than a minute on any machine.
    else if (/^0*[1-9][0-9]*[HM]$/.test(match[0])) expect(status).toBe('0')
    else expect(['0', '4']).toContain(status)
    return status === '0' ? 'accepted' : `status ${status}`
  },
  { runs: 100 },
)

/** The bytes of an HTTP/2 client for a call. */
async function recorded(): Promise<Buffer> {
  const path = join(dir.path, 'record.sock')
  const written: Buffer[] = []
  const proxy = createServer((client) => {
    const upstream = connect(lenient.address)
    client.on('data', (chunk: Buffer) => written.push(chunk)).pipe(upstream)
    upstream.pipe(client)
    for (const socket of [client, upstream]) socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => proxy.listen(path, resolve))
  await rawCall(path, { ':path': pathOf(Version.method.version) }, { body: frame(Buffer.alloc(0)) })
  await new Promise((resolve) => proxy.close(resolve))
  return Buffer.concat(written)
}

/** Writes to a connection of its own, ends it, and returns how it ended. */
function spoken(bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(lenient.address)
    let answered = false
    const timer = setTimeout(() => socket.destroy(), 100)
    socket.on('data', () => {
      answered = true
    })
    socket.on('error', () => undefined)
    socket.once('close', () => {
      clearTimeout(timer)
      resolve(answered ? 'accepted' : 'closed')
    })
    socket.end(bytes)
  })
}

const requests = [
  'POST /containerd.services.version.v1.Version/Version HTTP/1.1\r\nHost: x\r\nContent-Type: ' +
    'application/json\r\nContent-Length: 2\r\n\r\n{}',
  'POST /containerd.services.version.v1.Version/Version HTTP/1.1\r\nHost: x\r\nContent-Type: ' +
    'application/grpc-web+proto\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\0\0\0\0\0\r\n0\r\n\r\n',
  'GET /containerd.services.version.v1.Version/Version?connect=v1&encoding=json&message=%7B%7D HTTP/1.1\r\n' +
    'Host: x\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nExpect: 100-continue\r\n\r\n',
]
const http1Bytes = mutatedBytes(requests, {
  dictionary: [
    '\r\n',
    '\r\n\r\n',
    '\n',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    '0\r\n',
    ' HTTP/1.0',
    'connect-timeout-ms: 1\r\n',
    'application/proto',
    'ffffffffff\r\n',
    '%00',
  ],
})

fuzz(
  'D17 requests of HTTP/1.1 of any form end their own connection at most',
  http1Bytes,
  async (bytes) => {
    const outcome = await spoken(bytes)
    if (runs++ % 100 === 0) await expectAlive(lenient.address)
    return outcome
  },
  { runs: 160, together: 16 },
)

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const http2Call = await recorded()
const frames = http2Call.subarray(preface.length)
const http2Bytes = fc.oneof(
  {
    weight: 4,
    arbitrary: mutatedBytes([frames], {
      most: 4,
      dictionary: [
        '\0\0\0\x04\0\0\0\0\0',
        '\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08',
        '\0\0\x08\x06\0\0\0\0\0\0\0\0\0\0\0\0\0',
        '\0\0\x04\x08\0\0\0\0\0\x7f\xff\xff\xff',
        '\0\0\x05\x02\0\0\0\0\x01\0\0\0\x01\xff',
        '\0\0\0\x09\x04\0\0\0\x01',
      ].map((text) => Buffer.from(text, 'latin1')),
    }).map((bytes) => shown(Buffer.concat([preface, bytes]))),
  },
  { weight: 1, arbitrary: mutatedBytes([http2Call]) },
)

fuzz(
  'D17 frames of HTTP/2 in any order end their own connection at most',
  http2Bytes,
  async (bytes) => {
    const outcome = await spoken(bytes)
    if (runs++ % 100 === 0) await expectAlive(lenient.address)
    // No connection stays open after its client has closed it.
    if (runs % 500 === 0) await expect.poll(() => lenient.connections()).toBeLessThan(50)
    return outcome
  },
  { runs: 160, together: 16 },
)
