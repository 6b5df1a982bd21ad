import { createServer as createHttp2Server } from 'node:http2'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { ServiceImpl } from '@connectrpc/connect'
import { type Info, Kind, Snapshots } from '@nsbox/api/gen/services/snapshots/v1/snapshots_pb'
import { errorCode, NsboxError } from '@nsbox/errors'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { serveRoutes } from '../testing/serve-routes.ts'
import { openProxyPlugins } from './open-proxy-plugins.ts'
import { PluginConnection, type PluginDeadlines } from './plugin-connection.ts'
import { proxiedSnapshotter } from './proxied-snapshotter.ts'

const mark = '01234567-89ab-cdef-0123-456789abcdef'
const key = `ns/1-${mark}/key`
const mount = { type: 'bind', source: '/files', options: ['rbind', 'rw'] }

let resources: AsyncDisposableStack
let directory: string
beforeEach(async () => {
  resources = new AsyncDisposableStack()
  directory = resources.use(await tempDir('nsbox-plugin')).path
})
afterEach(() => resources.disposeAsync())

function connectionTo(address: string, deadlines: Partial<PluginDeadlines> = {}): PluginConnection {
  return resources.use(new PluginConnection({ name: 'faulty', type: 'snapshot', address }, deadlines))
}

/** A snapshotter with some of the methods. */
async function served(
  methods: Partial<ServiceImpl<typeof Snapshots>>,
  deadlines: Partial<PluginDeadlines> = {},
) {
  const { address } = resources.use(await serveRoutes((router) => router.service(Snapshots, methods)))
  const connection = connectionTo(address, deadlines)
  const snapshotter = proxiedSnapshotter(connection, { mark, namespaces: async () => ['ns', 'other'] })
  return { snapshotter, connection, address }
}

async function failure(call: Promise<unknown>): Promise<NsboxError> {
  return await call.then(
    () => expect.fail('it succeeded'),
    (error) => error as NsboxError,
  )
}

/** A server of bytes at a socket. */
async function listening(server: Server): Promise<string> {
  const address = join(directory, 'plugin.sock')
  await new Promise<void>((resolve) => server.listen(address, resolve))
  resources.defer(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return address
}

const snapshotterAt = (connection: PluginConnection) =>
  proxiedSnapshotter(connection, { mark, namespaces: async () => ['ns'] })

test.each(['content', 'diff'] as const)('a plugin of type %s is refused at the start', (type) => {
  expect(() => openProxyPlugins([{ name: 'store', type, address: '/none' }])).toThrow(
    new RegExp(`^proxy plugin store of type ${type}: .*: not implemented$`),
  )
})

test('a plugin that is not there is unavailable, by name, and used once it is', async () => {
  const address = join(directory, 'none.sock')
  const connection = connectionTo(address)
  const absent = await failure(snapshotterAt(connection).stat(key))
  expect(absent.code).toBe('unavailable')
  expect(absent.message).toContain(`proxy plugin faulty at ${address}: connecting to`)
  expect(connection.failure).toBe(absent)
})

test('G01 a plugin that hangs is given up at the deadline, whatever it hangs in', async () => {
  const hang = (_: unknown, { signal }: { signal: AbortSignal }) => {
    return new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  }
  const deadlines = { answer: 50, work: 100 }
  const { snapshotter, connection } = await served({ stat: hang, prepare: hang, remove: hang }, deadlines)
  for (const call of [
    () => snapshotter.stat(key),
    () => snapshotter.prepare(key, undefined),
    () => snapshotter.remove(key),
  ]) {
    const late = await failure(call())
    expect(late.code).toBe('deadline_exceeded')
    expect(late.message).toMatch(/^proxy plugin faulty at .*: no answer within 0\.(05|1) seconds/)
    expect(connection.failure).toBe(late)
  }
})

test('G01 a list that stops is given up, and one that never ends as well', async () => {
  const info = (name: string) => ({ name, kind: Kind.ACTIVE })
  async function* stopping(_: unknown, { signal }: { signal: AbortSignal }) {
    yield { info: [info(key)] }
    await new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  }
  async function* endless() {
    for (let id = 0; ; id++) yield { info: [info(`ns/${id}-${mark}/key`)] }
  }
  const all = async (list: AsyncIterable<unknown>) => {
    let count = 0
    for await (const _ of list) count++
    return count
  }
  const { snapshotter } = await served({ list: stopping }, { answer: 50 })
  expect(errorCode(await failure(all(snapshotter.list())))).toBe('deadline_exceeded')
  const other = await served({ list: endless }, { work: 200 })
  expect(errorCode(await failure(all(other.snapshotter.list())))).toBe('deadline_exceeded')
})

test.each([
  ['that does not speak HTTP/2 is unavailable', 'SSH-2.0-x\r\n', 'unavailable'],
  ['that says nothing is given up', '', 'deadline_exceeded'],
])('G01 a process %s', async (_, said, code) => {
  const server = createServer((socket) => {
    socket.resume()
    if (said !== '') socket.end(said)
  })
  const connection = connectionTo(await listening(server), said === '' ? { answer: 50 } : {})
  const error = await failure(snapshotterAt(connection).stat(key))
  expect(error.code).toBe(code)
  expect(error.message).toContain('proxy plugin faulty')
})

test('G01 a process that dies in a call makes it unavailable', async () => {
  const server = createHttp2Server()
  server.on('stream', (stream) => stream.session?.destroy())
  const connection = connectionTo(await listening(server as unknown as Server))
  const died = await failure(snapshotterAt(connection).prepare(key, undefined))
  expect(died.code).toBe('unavailable')
  expect(died.message).toContain('proxy plugin faulty')
})

test('a caller that goes away ends the call, which says nothing of the plugin', async () => {
  const { snapshotter, connection } = await served({ stat: () => new Promise<never>(() => {}) })
  const gone = new AbortController()
  const call = snapshotter.stat(key, { signal: gone.signal })
  gone.abort(new Error('gone'))
  await expect(call).rejects.toThrow('gone')
  expect(connection.failure).toBeUndefined()
})

test.each<[string, Partial<Info>, string]>([
  ['another name', { name: 'x' }, 'told of snapshot x, asked for'],
  ['no name', { name: '' }, 'name of a snapshot must not be empty'],
  ['a name that is too long', { name: 'x'.repeat(5000) }, '5000 bytes'],
  ['a parent that is too long', { parent: 'x'.repeat(5000) }, 'parent of a snapshot of 5000 bytes'],
  ['an unknown kind', { kind: 77 as Kind }, 'unknown kind 77'],
])('G02 a snapshot with %s is refused', async (_, part, text) => {
  const info = { name: key, kind: Kind.ACTIVE, ...part } as Info
  const { snapshotter, connection } = await served({ stat: async () => ({ info }) })
  const refused = await failure(snapshotter.stat(key))
  expect(refused.code).toBe('data_loss')
  expect(refused.message).toContain('proxy plugin faulty')
  expect(refused.message).toContain(text)
  expect(connection.failure).toBe(refused)
})

test.each([
  ['no mounts', [], 'no mounts'],
  ['thousands of mounts', Array.from({ length: 5000 }, () => mount), '5000 mounts'],
  ['endless options', [{ ...mount, options: ['x'.repeat(2 << 20)] }], 'mounts of 2097'],
  ['a NUL in a path', [{ ...mount, source: '/a\0b' }], 'with a NUL'],
])('G02 %s are refused', async (_, mounts, text) => {
  const { snapshotter } = await served({
    prepare: async () => ({ mounts }),
    mounts: async () => ({ mounts }),
  })
  for (const call of [snapshotter.prepare(key, undefined), snapshotter.mounts(key)]) {
    const refused = await failure(call)
    expect(refused.code).toBe('data_loss')
    expect(refused.message).toContain(text)
  }
})

test.each([
  ['very many fields', Buffer.alloc(200_000, Buffer.of(0x12, 0)), 'more than 65536 fields'],
  ['more bytes than its type can have', 0xffffff, 'of 16777215 bytes, more than 65536'],
  ['no such encoding', Buffer.of(0x08, 0x01), 'malformed message'],
])('G02 a message with %s is refused before it is decoded', async (_, message, text) => {
  const server = createHttp2Server()
  server.on('stream', (stream) => {
    stream.on('error', () => undefined)
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    const head = Buffer.alloc(5)
    head.writeUInt32BE(typeof message === 'number' ? message : message.length, 1)
    stream.write(head.subarray(0, 3))
    stream.end(Buffer.concat([head.subarray(3), typeof message === 'number' ? Buffer.alloc(0) : message]))
  })
  const snapshotter = snapshotterAt(connectionTo(await listening(server as unknown as Server)))
  const call = typeof message === 'number' ? snapshotter.usage(key) : snapshotter.mounts(key)
  const refused = await failure(call)
  expect(refused.code).toBe('data_loss')
  expect(refused.message).toContain('proxy plugin faulty')
  expect(refused.message).toContain(text)
})

test('what a plugin says of a snapshot is told as it is, at most a thousand characters of it', async () => {
  const { snapshotter, connection } = await served({
    stat: async () => {
      throw new NsboxError('not_found', `snapshot ${'x'.repeat(3000)}`)
    },
    usage: async () => {
      throw new NsboxError('unknown', 'no quota')
    },
  })
  const missing = await failure(snapshotter.stat(key))
  expect(missing.code).toBe('not_found')
  expect(missing.message).toMatch(/^snapshot x+: not found$/)
  expect(missing.message.length).toBeLessThan(1100)
  const unknown = await failure(snapshotter.usage(key))
  expect(unknown.message).toMatch(/^proxy plugin faulty at .*: no quota/)
  // It has answered.
  expect(connection.failure).toBeUndefined()
})

test('only snapshots with the server’s mark are listed, from each namespace until one tells of others', async () => {
  const names = [key, 'ns/2/key', `ns/3-${'f'.repeat(36)}/key`, 'sha256:x']
  const asked: (string | null)[] = []
  const listed = async (more: string[]) => {
    const { snapshotter } = await served({
      async *list(_: unknown, { requestHeader }: { requestHeader: Headers }) {
        asked.push(requestHeader.get('containerd-namespace'))
        yield { info: [...names, ...more].map((name) => ({ name, kind: Kind.COMMITTED })) }
      },
    })
    const found: string[] = []
    for await (const { name } of snapshotter.list()) found.push(name)
    return found
  }
  expect(await listed([])).toEqual([key, key])
  expect(asked.splice(0)).toEqual(['ns', 'other'])
  const ofOther = `other/4-${mark}/key`
  expect(await listed([ofOther])).toEqual([key, ofOther])
  expect(asked).toEqual(['ns'])
})

test('a commit whose answer was lost has happened if the snapshot is there', async () => {
  const info = { name: `ns/1-${mark}/name`, kind: Kind.COMMITTED }
  const { snapshotter } = await served({
    commit: async () => {
      throw new NsboxError('unavailable', 'restarting')
    },
    stat: async () => ({ info }),
  })
  expect(await snapshotter.commit(info.name, key)).toMatchObject({ name: info.name, kind: 'committed' })
})

test('what a snapshotter has by itself for a layer is found, and nothing of a daemon', async () => {
  const labels = { 'containerd.io/snapshot.ref': 'sha256:x' }
  const candidates = [
    { name: 'ns/7/sha256:x', kind: Kind.COMMITTED, labels },
    { name: `other/7-${mark}/sha256:x`, kind: Kind.COMMITTED, labels },
    { name: 'active', kind: Kind.ACTIVE, labels },
    { name: 'with parent', kind: Kind.COMMITTED, labels, parent: 'p' },
    { name: 'of another', kind: Kind.COMMITTED, labels: { 'containerd.io/snapshot.ref': 'sha256:y' } },
    { name: 'sha256:x', kind: Kind.COMMITTED, labels },
  ]
  const { snapshotter } = await served({
    async *list() {
      yield { info: candidates }
    },
  })
  expect(await snapshotter.findTarget('sha256:x', undefined, { namespace: 'ns' })).toBe('sha256:x')
  expect(await snapshotter.findTarget('sha256:x', 'p', { namespace: 'ns' })).toBe('with parent')
  expect(await snapshotter.findTarget('sha256:z', undefined, { namespace: 'ns' })).toBeUndefined()
})
