import { once } from 'node:events'
import { type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { create, toBinary } from '@bufbuild/protobuf'
import { Code, createClient, createContextValues } from '@connectrpc/connect'
import { toConnectError } from '@nsbox/api'
import { Content, WriteContentRequestSchema } from '@nsbox/api/gen/services/content/v1/content_pb'
import { NsboxError } from '@nsbox/errors'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { CallCounts } from '../counts/call-counts.ts'
import { textLine } from '../log/text-line.ts'
import { frame, socketTransport } from '../testing/grpc-call.ts'
import { type ServedRoutes, serveRoutes } from '../testing/serve-routes.ts'
import { requestLog } from './request-log.ts'

const lines: { level: number; code: string; msg: string }[] = []
let served: ServedRoutes
const counts = new CallCounts()

const faults: Readonly<Record<string, () => unknown>> = {
  runc: () =>
    new NsboxError('unknown', 'OCI runtime create failed: exec: "x": executable file not found in $PATH'),
  archive: () => new NsboxError('data_loss', 'archive entry "x": cut off'),
  missing: () => new NsboxError('not_found', 'content x'),
  server: () => new NsboxError('internal', 'a thread ended'),
  bug: () => new TypeError('x is not a function'),
}

beforeAll(async () => {
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line)) })
  const outer = [requestLog(log, { loop: { touch: () => undefined }, counts })]
  served = await serveRoutes(
    (router) =>
      router.service(Content, {
        async *write(requests) {
          for await (const { action } of requests) yield { action }
        },
        info({ digest }) {
          throw faults[digest]!()
        },
      }),
    { outer },
  )
})
afterAll(() => served[Symbol.asyncDispose]())
beforeEach(() => {
  lines.length = 0
})

test.each([
  ['what a program says of a container is no fault of the server', 'runc', 'Unknown', 'debug'],
  ['what a client asks for in vain is none either', 'missing', 'NotFound', 'debug'],
  ['bytes that are wrong may be anybody’s', 'archive', 'DataLoss', 'warn'],
  ['what the server finds wrong with itself is an error', 'server', 'Internal', 'error'],
  ['an exception that nobody has foreseen is an error', 'bug', 'Unknown', 'error'],
] as const)('%s', async (_, digest, code, level) => {
  using client = socketTransport(served.address)
  const failure = await createClient(Content, client.transport)
    .info({ digest })
    .catch((error) => error)
  expect(Code[failure.code]).toBe(code)
  expect(lines).toMatchObject([{ code, level: pino.levels.values[level] }])
})

const drops: Readonly<Record<string, (stream: ClientHttp2Stream) => void>> = {
  'reset without an error': (stream) => stream.destroy(),
  'reset by an abort': (stream) => stream.destroy(new DOMException('enough', 'AbortError')),
  'reset with INTERNAL_ERROR, as Node does by default': (stream) => stream.destroy(new Error('enough')),
  'cut off with its connection': (stream) => stream.session?.destroy(),
}
const types = ['application/grpc', 'application/connect+proto']
const cases = Object.entries(drops).flatMap(([how, drop]) => types.map((type) => [how, type, drop] as const))

test.each(cases)(
  'a stream that its client drops is cancelled, and counted so: %s, of %s',
  async (_, type, drop) => {
    const canceled = () => counts.methods.get(Content.method.write)?.ended.get(Code.Canceled) ?? 0
    const before = canceled()
    const session = connectHttp2('http://localhost', {
      createConnection: () => connectSocket(served.address),
    })
    const stream = session.request(
      { ':method': 'POST', ':path': '/containerd.services.content.v1.Content/Write', 'content-type': type },
      { endStream: false },
    )
    for (const part of [session, stream]) part.on('error', () => undefined)
    const message = toBinary(WriteContentRequestSchema, create(WriteContentRequestSchema, { ref: 'r' }))
    stream.write(frame(message))
    await once(stream, 'data')
    drop(stream)
    await expect.poll(() => lines).toMatchObject([{ code: 'Canceled', level: pino.levels.values.debug }])
    expect(canceled() - before).toBe(1)
    expect(counts.methods.get(Content.method.write)).toMatchObject({ inFlight: 0 })
    session.destroy()
  },
)

test('says once what a call has failed with, and where it comes from', async () => {
  const lines: string[] = []
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(line) })
  const failing = async () => {
    const cause = new NsboxError('unknown', 'ended with 1')
    throw toConnectError(new NsboxError('unknown', 'OCI runtime create failed: no way', { cause }))
  }
  const call = requestLog(log, { loop: { touch: () => undefined }, counts } as never)(failing)
  const request = {
    service: { typeName: 'a.Tasks' },
    method: { name: 'Create' },
    contextValues: createContextValues(),
  }
  await expect(call(request as never)).rejects.toThrow()
  const text = lines.map(textLine).join('')
  expect(text.match(/OCI runtime create failed/g)).toHaveLength(1)
  expect(text).toContain('ended with 1')
})
