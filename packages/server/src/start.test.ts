import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type CallOptions, Code, type ConnectError, createClient } from '@connectrpc/connect'
import { packAny } from '@nsbox/api'
import { TaskOOMSchema } from '@nsbox/api/gen/events/task_pb'
import { Content, WriteAction } from '@nsbox/api/gen/services/content/v1/content_pb'
import { Events } from '@nsbox/api/gen/services/events/v1/events_pb'
import { Images } from '@nsbox/api/gen/services/images/v1/images_pb'
import { Leases } from '@nsbox/api/gen/services/leases/v1/leases_pb'
import { Namespaces } from '@nsbox/api/gen/services/namespaces/v1/namespace_pb'
import { errorCode } from '@nsbox/errors'
import { digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Server } from './server.ts'
import { startServer } from './start.ts'
import { rawCall, socketTransport } from './testing/grpc-call.ts'

let resources: AsyncDisposableStack
let root: string
let server: Server

beforeEach(async () => {
  resources = new AsyncDisposableStack()
  root = join(resources.use(await tempDir('nsbox-start')).path, 'root')
  server = resources.use(await startServer({ root, durability: 'relaxed' }))
})
afterEach(() => resources.disposeAsync())

function clients({ address }: Server = server) {
  const client = socketTransport(address)
  resources.defer(() => client[Symbol.dispose]())
  const { transport } = client
  return {
    namespaces: createClient(Namespaces, transport),
    content: createClient(Content, transport),
    images: createClient(Images, transport),
    leases: createClient(Leases, transport),
    events: createClient(Events, transport),
  }
}

const inNamespace = (name: string): CallOptions => ({ headers: { 'containerd-namespace': name } })

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error: ConnectError) => Code[error.code],
  )

const target = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf('x'), size: 1n }

test('a database of a newer version is named, and left as it is', async () => {
  await server[Symbol.asyncDispose]()
  const path = join(root, 'metadata.db')
  // The version is in the header (https://sqlite.org/fileformat2.html §1.3.14).
  const bytes = await readFile(path)
  bytes.writeUInt32BE(999, 60)
  await writeFile(path, bytes)
  const refusal = await startServer({ root }).catch((error) => error)
  expect(errorCode(refusal)).toBe('failed_precondition')
  expect(String(refusal)).toMatch(
    /database .*\/metadata\.db has schema version 999, this program knows versions up to \d+: use a newer program/,
  )
  expect((await readFile(path)).equals(bytes)).toBe(true)
})

test.runIf(process.platform === 'linux').each(['io.containerd.runtime.v2.task', 'tasks/bundles'])(
  'a state directory with a task of a newer version in %s is refused by name, and left as it is',
  async (place) => {
    await server[Symbol.asyncDispose]()
    const state = join(root, '../state')
    const bundle = join(state, place, 'n/box')
    await mkdir(bundle, { recursive: true })
    for (const path of ['', dirname(place), place, join(place, 'n'), join(place, 'n/box')])
      await chmod(join(state, path), 0o711)
    const path = join(bundle, 'task.json')
    await writeFile(path, '{"format":2}')
    const refusal = await startServer({ root, state }).catch((error) => error)
    expect(errorCode(refusal)).toBe('failed_precondition')
    expect(String(refusal)).toContain(
      `state file "${path}" has format 2, this program knows formats up to 1: use a newer program`,
    )
    expect(await readFile(path, 'utf8')).toBe('{"format":2}')
  },
)

test.runIf(process.platform === 'linux')(
  'a thread for layers starts as soon as a client writes one that it has fetched',
  async () => {
    const { content } = clients()
    const write = async (ref: string) => {
      const data = Buffer.from(ref)
      const messages = async function* () {
        yield { action: WriteAction.WRITE, ref, data }
      }
      for await (const _ of content.write(messages(), inNamespace('n'))) void _
    }
    const threads = async () => (await readdir('/proc/self/task')).length
    await write('config-sha256:1')
    const before = await threads()
    await write('manifest-sha256:2')
    expect(await threads()).toBe(before)
    await write('layer-sha256:3')
    await expect.poll(threads).toBeGreaterThan(before)
  },
)

describe('a data root', () => {
  test('has one server, which lets go of it', async () => {
    const refusal = await startServer({ root }).catch((error) => error)
    expect(errorCode(refusal)).toBe('failed_precondition')
    expect(String(refusal)).toContain(JSON.stringify(root))
    await server[Symbol.asyncDispose]()
    await (await startServer({ root }))[Symbol.asyncDispose]()
  })

  test('keeps everything for the next server', async () => {
    await clients().images.create({ image: { name: 'i', labels: { a: 'b' }, target } }, inNamespace('n'))
    await server[Symbol.asyncDispose]()
    const next = resources.use(await startServer({ root }))
    const { image } = await clients(next).images.get({ name: 'i' }, inNamespace('n'))
    expect(image).toMatchObject({ name: 'i', labels: { a: 'b' }, target })
  })

  test('a start that fails lets go of it', async () => {
    await server[Symbol.asyncDispose]()
    const address = join(dirname(root), 'file')
    await writeFile(address, '')
    expect(errorCode(await startServer({ root, address }).catch((error) => error))).toBe(
      'failed_precondition',
    )
    await (await startServer({ root }))[Symbol.asyncDispose]()
  })

  test('refuses a program of the runtime with a shim, which would not get it', async () => {
    const both = { runtimeBinary: 'runc', runtimeShim: 'io.containerd.runc.v2' }
    const failure = await startServer({ root: `${root}-other`, durability: 'relaxed', ...both }).catch(
      errorCode,
    )
    expect(failure).toBe('invalid_argument')
    // Its lock and its stores are closed.
    await using _ = await startServer({ root: `${root}-other`, durability: 'relaxed' })
  })

  test('gives its stores to the process that embeds it', async () => {
    await server.metadata.namespaces.create({ name: 'direct' })
    expect((await clients().namespaces.list({})).namespaces.map(({ name }) => name)).toEqual(['direct'])
  })
})

describe('the end', () => {
  test('removes the socket and the temporary state, and may be asked for twice', async () => {
    expect((await stat(server.address)).mode & 0o777).toBe(0o600)
    await Promise.all([server[Symbol.asyncDispose](), server[Symbol.asyncDispose]()])
    await expect(stat(server.address)).rejects.toThrow('ENOENT')
    await expect(stat(dirname(server.address))).rejects.toThrow('ENOENT')
  })

  test('ends subscriptions and waits for calls that end', async () => {
    const { events, content } = clients()
    const subscription = events.subscribe({})[Symbol.asyncIterator]()
    const ended = code(subscription.next())
    let finish = () => {}
    const requests = (async function* () {
      yield { action: WriteAction.WRITE, ref: 'r', data: Buffer.from('hello') }
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      yield { action: WriteAction.COMMIT, offset: 5n }
    })()
    const replies = content.write(requests, inNamespace('n'))[Symbol.asyncIterator]()
    await replies.next()
    const disposing = server[Symbol.asyncDispose]()
    expect(await ended).toBe('Unavailable')
    finish()
    expect((await replies.next()).value?.digest).toBe(digestOf('hello'))
    await replies.return?.()
    await disposing
  })

  test('aborts calls that do not end within a bound', async () => {
    const replies = clients()
      .content.write(
        (async function* () {
          yield { action: WriteAction.STAT, ref: 'r' }
          await new Promise(() => {})
        })(),
        inNamespace('n'),
      )
      [Symbol.asyncIterator]()
    await replies.next()
    const ended = code(replies.next())
    await server[Symbol.asyncDispose]()
    expect(await ended).toBe('Unavailable')
  }, 15_000)
})

describe('D07 the namespace header', () => {
  test('is needed, must be an identifier, and its first value counts', async () => {
    const { images } = clients()
    expect(await code(images.list({}))).toBe('FailedPrecondition')
    expect(await code(images.list({}, inNamespace('')))).toBe('FailedPrecondition')
    for (const name of ['../x', '.x', '__proto__', 'a b', 'x'.repeat(77)]) {
      expect(await code(images.list({}, inNamespace(name)))).toBe('InvalidArgument')
    }
    for (const name of ['version', 'constructor', 'toString', 'x'.repeat(76)]) {
      expect(await code(images.create({ image: { name: 'i', target } }, inNamespace(name)))).toBe('ok')
      expect((await images.list({}, inNamespace(name))).images).toHaveLength(1)
    }
    await images.create({ image: { name: 'first', target } }, inNamespace('one, two'))
    expect((await images.list({}, inNamespace('one'))).images).toHaveLength(1)
    expect((await images.list({}, inNamespace('two'))).images).toHaveLength(0)
  })

  test('may be sent twice', async () => {
    await clients().images.create({ image: { name: 'i', target } }, inNamespace('one'))
    const { body } = await rawCall(
      server.address,
      { ':path': '/containerd.services.images.v1.Images/List', 'containerd-namespace': ['one', 'two'] },
      { body: Buffer.alloc(5) },
    )
    expect(body.byteLength).toBeGreaterThan(5)
  })

  test('missing reads the texts that clients know', async () => {
    const failure: ConnectError = await clients()
      .images.list({})
      .catch((error) => error)
    expect(failure.rawMessage).toBe('namespace is required: failed precondition')
  })
})

test('a lease header holds what is made under it, and an unknown lease is not found', async () => {
  const { leases, content } = clients()
  const { lease } = await leases.create({ labels: { a: 'b' } }, inNamespace('n'))
  const write = (id: string, ref: string) =>
    content
      .write(
        (async function* () {
          yield { action: WriteAction.WRITE, ref, data: Buffer.from(ref) }
          yield { action: WriteAction.COMMIT, offset: BigInt(ref.length) }
        })(),
        { headers: { 'containerd-namespace': 'n', 'containerd-lease': `${id}, other` } },
      )
      [Symbol.asyncIterator]()
  const replies = write(lease?.id ?? '', 'held')
  await replies.next()
  await replies.next()
  await replies.next()
  const { resources: held } = await leases.listResources({ id: lease?.id ?? '' }, inNamespace('n'))
  expect(held).toMatchObject([{ type: 'content', id: digestOf('held') }])
  expect(await code(write('unknown', 'x').next())).toBe('NotFound')
})

describe('images', () => {
  const update = async (paths: string[] | undefined, image: object) => {
    const { images } = clients()
    await images.create(
      { image: { name: 'i', labels: { a: '1', b: '2' }, target: { ...target, annotations: { x: '1' } } } },
      inNamespace('n'),
    )
    const request = { image: { name: 'i', ...image }, ...(paths && { updateMask: { paths } }) }
    return (await images.update(request, inNamespace('n'))).image
  }
  const other = { ...target, digest: digestOf('y') }

  test.each([
    [
      'without a mask replaces everything',
      undefined,
      { labels: { c: '3' }, target: other },
      { c: '3' },
      digestOf('y'),
      {},
    ],
    [
      'of the target leaves labels',
      ['target'],
      { labels: { c: '3' }, target: other },
      { a: '1', b: '2' },
      digestOf('y'),
      {},
    ],
    [
      'of one label leaves the rest',
      ['labels.a'],
      { labels: { a: '9' }, target: other },
      { a: '9', b: '2' },
      target.digest,
      { x: '1' },
    ],
    [
      'of all labels replaces them',
      ['labels'],
      { labels: { c: '3' } },
      { c: '3' },
      target.digest,
      { x: '1' },
    ],
    [
      'of an annotation leaves the target',
      ['annotations.y'],
      { target: { annotations: { y: '2' } } },
      { a: '1', b: '2' },
      target.digest,
      { x: '1', y: '2' },
    ],
  ])('an update %s', async (_, paths, image, labels, digest, annotations) => {
    expect(await update(paths, image)).toMatchObject({ labels, target: { digest, annotations } })
  })

  test('an update of another field is refused', async () => {
    const failure: ConnectError = await update(['name'], {}).catch((error) => error)
    expect(failure.rawMessage).toBe('cannot update "name" field on image "i": invalid argument')
  })

  test('a target must be one', async () => {
    const { images } = clients()
    for (const wrong of [
      undefined,
      { ...target, digest: 'x' },
      { ...target, size: 0n },
      { ...target, mediaType: '' },
    ]) {
      const image = { name: 'i', ...(wrong && { target: wrong }) }
      expect(await code(images.create({ image }, inNamespace('n')))).toBe('InvalidArgument')
    }
  })
})

describe('namespaces', () => {
  test('are made, labelled, filtered and removed', async () => {
    const { namespaces } = clients()
    await namespaces.create({ namespace: { name: 'a', labels: { x: '1' } } })
    await namespaces.create({ namespace: { name: 'b' } })
    const paths = ['labels.y']
    await namespaces.update({ namespace: { name: 'a', labels: { y: '2' } }, updateMask: { paths } })
    expect((await namespaces.get({ name: 'a' })).namespace?.labels).toEqual({ x: '1', y: '2' })
    const listed = await namespaces.list({ filter: 'labels.x==1' })
    expect(listed.namespaces.map(({ name }) => name)).toEqual(['a'])
    await namespaces.delete({ name: 'b' })
    // A namespace that does not exist has no labels.
    expect((await namespaces.get({ name: 'b' })).namespace).toMatchObject({ name: 'b', labels: {} })
    expect(await code(namespaces.create({}))).toBe('InvalidArgument')
  })
})

describe('events', () => {
  test('tell what calls did, and pass on what clients publish', async () => {
    const { events, namespaces } = clients()
    const subscription = events.subscribe({})[Symbol.asyncIterator]()
    const first = subscription.next()
    // There is no sign that the server has read the subscription.
    await new Promise((resolve) => setTimeout(resolve, 100))
    await namespaces.create({ namespace: { name: 'a' } })
    const event = packAny(TaskOOMSchema, { containerId: 'c' })
    await events.publish({ topic: '/tasks/oom', event }, inNamespace('a'))
    const timestamp = { seconds: 5n, nanos: 0 }
    await events.forward({ envelope: { timestamp, namespace: 'b', topic: '/x', event } })
    expect((await first).value).toMatchObject({ namespace: 'a', topic: '/namespaces/create' })
    expect((await subscription.next()).value).toMatchObject({ namespace: 'a', topic: '/tasks/oom', event })
    expect((await subscription.next()).value).toMatchObject({ namespace: 'b', topic: '/x', timestamp })
    expect(await code(events.publish({ topic: '/x', event }))).toBe('FailedPrecondition')
    expect(await code(events.publish({ topic: 'x', event }, inNamespace('a')))).toBe('InvalidArgument')
    expect(await code(events.publish({ topic: '/x' }, inNamespace('a')))).toBe('InvalidArgument')
  })
})
