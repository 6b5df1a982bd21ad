import { readdirSync } from 'node:fs'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescService,
  ScalarType,
} from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { type RunningProcess, startProcess, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { frame } from '../testing/grpc-call.ts'
import { useServerProgram } from '../testing/server-process.ts'
import { maxRequestBytes } from './message-limit.ts'

/** Milliseconds that another call may wait: the disk and other programs take their part. */
const longestWaitAllowed = 5000

/** Milliseconds between calls of another client: their number takes time from what is measured. */
const pause = 10

/** Milliseconds that the event loop may be held on a busy machine, by its own measure. */
const longestHold = 500

/** The most fields that are accepted. */
const maxFields = 65_536

const generated = join(import.meta.dirname, '../../../api/src/gen')
const files = readdirSync(generated, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('_pb.ts'),
)
const modules = await Promise.all(
  files.map((file) => import(join(generated, file)) as Promise<Record<string, unknown>>),
)
const services = modules
  .flatMap((module) => Object.values(module))
  .filter((value): value is DescService => (value as DescService | undefined)?.kind === 'service')

/** The largest and the oddest requests that a method accepts. */
const shapes: Readonly<Record<string, (method: DescMethod) => Uint8Array>> = {
  'with its longest text': ({ input }) => longestText(input, maxBytes(input)),
  'with as many fields as it takes': ({ input }) => manyFields(input, maxFields),
  'with every number at its end': ({ input }) => extremes(input, 'highest'),
  'with odd texts': ({ input }) => extremes(input, 'lowest'),
  'with fields that nobody knows': () => repeated(Buffer.of(0xfa, 0x7f, 0x00), maxFields),
  'with as many levels as it takes': () =>
    Buffer.concat([repeated(Buffer.of(0xfb, 0x7f), 99), repeated(Buffer.of(0xfc, 0x7f), 99)]),
}

function maxBytes(input: DescMessage): number {
  const method = services.flatMap(({ methods }) => methods).find((each) => each.input === input)!
  return maxRequestBytes(method)
}

const repeated = (bytes: Uint8Array, count: number) => Buffer.alloc(bytes.length * count, bytes)

/** The longest text or bytes of a message, in its first field of such a type. */
function longestText(schema: DescMessage, bytes: number, depth = 0): Uint8Array {
  const room = bytes - 20
  const writer = new BinaryWriter()
  for (const field of schema.fields) {
    if (isText(field))
      return writer.tag(field.number, WireType.LengthDelimited).bytes(Buffer.alloc(room, 'x')).finish()
    if (field.fieldKind === 'map')
      return writer
        .tag(field.number, WireType.LengthDelimited)
        .bytes(entry('k', Buffer.alloc(room - 20, 'x')))
        .finish()
  }
  for (const field of schema.fields) {
    if (field.message === undefined || depth > 3) continue
    const inner = longestText(field.message, room, depth + 1)
    if (inner.length > 0) return writer.tag(field.number, WireType.LengthDelimited).bytes(inner).finish()
  }
  return writer.finish()
}

/** Every repeatable field as often as possible, with different keys. */
function manyFields(schema: DescMessage, count: number, depth = 0): Uint8Array {
  const writer = new BinaryWriter()
  for (const field of schema.fields) {
    if (field.fieldKind === 'map') {
      for (let i = 0; i < Math.floor(count / 3) - 10; i++)
        writer.tag(field.number, WireType.LengthDelimited).bytes(entry(`key-${i}`, Buffer.from('v')))
      return writer.finish()
    }
  }
  for (const field of schema.fields) {
    if (field.fieldKind !== 'list') continue
    for (let i = 0; i < count - 10; i++) writer.tag(field.number, WireType.LengthDelimited).bytes(Buffer.of())
    return writer.finish()
  }
  for (const field of schema.fields) {
    if (field.message === undefined || depth > 3) continue
    const inner = manyFields(field.message, count - 1, depth + 1)
    if (inner.length > 0) return writer.tag(field.number, WireType.LengthDelimited).bytes(inner).finish()
  }
  return writer.finish()
}

/** Every field of a message and of those within it once. */
function extremes(schema: DescMessage, end: 'highest' | 'lowest', depth = 0): Uint8Array {
  const writer = new BinaryWriter()
  const isHigh = end === 'highest'
  const oddText = Buffer.from('\0../../\u{10ffff}%00"\\\r\n{{}}')
  for (const field of schema.fields) {
    const { number } = field
    if (field.fieldKind === 'map')
      writer.tag(number, WireType.LengthDelimited).bytes(entry('__proto__', oddText))
    else if (field.message !== undefined) {
      if (depth < 4)
        writer.tag(number, WireType.LengthDelimited).bytes(extremes(field.message, end, depth + 1))
    } else if (isText(field))
      writer.tag(number, WireType.LengthDelimited).bytes(isHigh ? Buffer.from('x') : oddText)
    else {
      const type =
        field.fieldKind === 'scalar' || field.fieldKind === 'list'
          ? (field as { scalar?: ScalarType }).scalar
          : undefined
      if (type === ScalarType.DOUBLE)
        writer.tag(number, WireType.Bit64).double(isHigh ? Number.MAX_VALUE : Number.NaN)
      else if (type === ScalarType.FLOAT)
        writer.tag(number, WireType.Bit32).float(isHigh ? Number.POSITIVE_INFINITY : Number.NaN)
      else if (type === ScalarType.FIXED64 || type === ScalarType.SFIXED64)
        writer.tag(number, WireType.Bit64).raw(Buffer.alloc(8, 0xff))
      else if (type === ScalarType.FIXED32 || type === ScalarType.SFIXED32)
        writer.tag(number, WireType.Bit32).raw(Buffer.alloc(4, 0xff))
      // The largest value of 64 bits: -1 in a signed type, and true.
      else
        writer
          .tag(number, WireType.Varint)
          .raw(
            isHigh
              ? Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)
              : Buffer.from('ffffffffffffffffff01', 'hex'),
          )
    }
  }
  return writer.finish()
}

function isText(field: DescField): boolean {
  if (field.fieldKind !== 'scalar' && !(field.fieldKind === 'list' && field.listKind === 'scalar'))
    return false
  return field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES
}

function entry(key: string, value: Uint8Array): Uint8Array {
  const writer = new BinaryWriter()
  writer.tag(1, WireType.LengthDelimited).bytes(Buffer.from(key))
  return writer.tag(2, WireType.LengthDelimited).bytes(value).finish()
}

const program = useServerProgram()
let resources: AsyncDisposableStack
let server: RunningProcess
let address: string
let hostile: Relayed
let other: () => ClientHttp2Session

/** A connection, and another one once the server has asked for that. */
function connection(address: string): () => ClientHttp2Session {
  let current: ClientHttp2Session | undefined
  return () => {
    if (current !== undefined) return current
    const opened = connectHttp2('http://localhost', {
      createConnection: () => connectSocket(address),
      maxSessionMemory: 200,
    })
    opened.on('error', () => {})
    opened.once('goaway', () => {
      current = undefined
      opened.close()
    })
    resources.defer(() => opened.destroy())
    current = opened
    return opened
  }
}

/** Passes data between two sockets. */
const relay = `
  const { connect, createServer } = require('node:net')
  const [from, to] = process.argv.slice(1)
  createServer((client) => {
    const server = connect(to)
    for (const [one, another] of [[client, server], [server, client]]) {
      one.on('error', () => {})
      one.on('close', () => another.destroy())
      one.pipe(another)
    }
  }).listen(from, () => console.log('relaying'))`

/** Most bytes of large requests from one client: soon after, it would be paused. */
const clientBytes = 96 << 20

/** Connections from a process of its own each, so that large requests come from different clients. */
class Relayed {
  readonly #directory: string
  #process: RunningProcess | undefined
  #connection: (() => ClientHttp2Session) | undefined
  #sent = 0
  #count = 0

  constructor(directory: string) {
    this.#directory = directory
  }

  async forMessage(bytes: number): Promise<() => ClientHttp2Session> {
    this.#sent += bytes
    if (this.#connection === undefined || this.#sent > clientBytes) {
      await this.#process?.[Symbol.asyncDispose]()
      this.#sent = bytes
      const from = join(this.#directory, `${++this.#count}.sock`)
      this.#process = resources.use(
        await startProcess(process.execPath, ['-e', relay, from, address], { ready: /relaying/ }),
      )
      this.#connection = connection(from)
    }
    return this.#connection
  }
}

beforeAll(async () => {
  resources = new AsyncDisposableStack()
  const { path } = resources.use(await tempDir('nsbox-largest'))
  address = join(path, 's.sock')
  const places = ['--root', join(path, 'root'), '--state', join(path, 'state'), '--address', address]
  server = resources.use(await program.start([...places, '--durability', 'relaxed', '--log-format', 'json']))
  hostile = new Relayed(path)
  other = connection(address)
})
afterAll(() => resources.disposeAsync())

/** The status of a call; a call that waits for something has two seconds, or half a second if it is small. */
function call(by: () => ClientHttp2Session, path: string, message: Uint8Array): Promise<string | undefined> {
  return new Promise((resolve) => {
    const headers = {
      'content-type': 'application/grpc',
      'containerd-namespace': 'default',
      'grpc-timeout': message.length > 1 << 20 ? '2S' : '500m',
    }
    const stream = by().request({ ':method': 'POST', ':path': path, ...headers })
    let status: string | undefined
    const onHeaders = (got: Record<string, unknown>) => {
      status = (got['grpc-status'] as string | undefined) ?? status
    }
    stream.on('response', onHeaders)
    stream.on('trailers', onHeaders)
    stream.on('error', () => {})
    stream.on('close', () => resolve(status))
    stream.resume()
    stream.end(frame(message))
  })
}

/** Repeats a small call during some work. @returns the longest time that one took, in milliseconds */
async function longestWait(work: Promise<unknown>): Promise<number> {
  let isOver = false
  work.finally(() => {
    isOver = true
  })
  let longest = 0
  while (!isOver) {
    const start = performance.now()
    expect(await call(other, '/containerd.services.version.v1.Version/Version', Buffer.of())).toBe('0')
    longest = Math.max(longest, performance.now() - start)
    await Promise.race([work, delay(pause)])
  }
  return longest
}

const methods = services.flatMap(({ methods }) => methods)

describe.each(Object.entries(shapes))('E05 a request %s', (what, make) => {
  test.each(methods.map((method) => [`${method.parent.typeName}/${method.name}`, method] as const))(
    'of %s keeps nobody waiting',
    async (path, method) => {
      const message = make(method)
      const client = await hostile.forMessage(message.length)
      const work = call(client, `/${path}`, message)
      const waited = await longestWait(work)
      const status = await work
      // It was answered, and not by a fault of the server.
      expect(status, what).toMatch(/^\d+$/)
      expect(['2', '15'], what).not.toContain(status)
      expect(waited).toBeLessThan(longestWaitAllowed)
    },
  )
})

test('E05 no method held the event loop for long', () => {
  const held = server.output
    .split('\n')
    .filter((line) => line.includes('event loop held'))
    .map((line) => JSON.parse(line) as { ms: number; methods: string[] })
  expect(held.filter(({ ms }) => ms > longestHold)).toEqual([])
})
