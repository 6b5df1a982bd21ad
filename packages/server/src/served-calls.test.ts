import type { ConnectError } from '@connectrpc/connect'
import { packAny } from '@nsbox/api'
import { TaskOOMSchema } from '@nsbox/api/gen/events/task_pb'
import { WriteAction } from '@nsbox/api/gen/services/content/v1/content_pb'
import { digestOf } from '@nsbox/oci'
import { describe, expect, test } from 'vitest'
import { rawCall } from './testing/grpc-call.ts'
import { code, inNamespace, target, useServer } from './testing/use-server.ts'

const used = useServer()

describe('D07 the namespace header', () => {
  test('is needed, must be an identifier, and its first value counts', async () => {
    const { clients } = used()
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
    const { clients, server } = used()
    await clients().images.create({ image: { name: 'i', target } }, inNamespace('one'))
    const { body } = await rawCall(
      server.address,
      { ':path': '/containerd.services.images.v1.Images/List', 'containerd-namespace': ['one', 'two'] },
      { body: Buffer.alloc(5) },
    )
    expect(body.byteLength).toBeGreaterThan(5)
  })

  test('missing reads the texts that clients know', async () => {
    const { clients } = used()
    const failure: ConnectError = await clients()
      .images.list({})
      .catch((error) => error)
    expect(failure.rawMessage).toBe('namespace is required: failed precondition')
  })
})

test('a lease header holds what is made under it, and an unknown lease is not found', async () => {
  const { clients } = used()
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
    const { clients } = used()
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
    const { clients } = used()
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
    const { clients } = used()
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
    const { clients } = used()
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
