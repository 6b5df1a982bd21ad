import { digestOf } from '@nsbox/oci'
import { describe, expect, test } from 'vitest'
import { withSubject } from '../testing/collector-subject.ts'

const past = '2020-01-01T00:00:00Z'
const future = '2100-01-01T00:00:00Z'

describe('what is kept', () => {
  test('nothing, of blobs that nothing refers to', () =>
    withSubject(async (subject) => {
      await subject.blob('a')
      await subject.blob('b')
      expect(await subject.metadata.collect()).toMatchObject({ content: 2, blobs: 2, bytes: 2 })
      await subject.expectLeft()
    }))

  test('what an image points to, and what that refers to, as far as it goes', () =>
    withSubject(async (subject) => {
      const layer = await subject.blob('layer')
      const config = await subject.blob('config')
      const manifest = await subject.blob('manifest', {
        'containerd.io/gc.ref.content.config': config,
        'containerd.io/gc.ref.content.l.0': layer,
      })
      const index = await subject.blob('index', { 'containerd.io/gc.ref.content/m.0': manifest })
      const other = await subject.blob('other')
      await subject.image('x', index, { 'containerd.io/gc.ref.content': other })
      await subject.blob('garbage')
      await subject.expectLeft(layer, config, manifest, index, other)
      await subject.ns.images.delete('x')
      await subject.expectLeft()
    }))

  test('nothing through labels that only look like references', () =>
    withSubject(async (subject) => {
      const a = await subject.blob('a')
      const root = await subject.blob('root', {
        'containerd.io/gc.root': 'now',
        'containerd.io/gc.ref.contents': a,
        'containerd.io/gc.ref.content-x': a,
        'containerd.io/gc.ref': a,
        'containerd.io/gc.ref.container': a,
        'xcontainerd.io/gc.ref.content': a,
        'containerd.io/gc.ref.snapshot': a,
      })
      await subject.expectLeft(root)
    }))

  test('blobs with the label of a root, until they lose it', () =>
    withSubject(async (subject) => {
      const a = await subject.blob('a')
      const root = await subject.blob('root', {
        'containerd.io/gc.root': 'x',
        'containerd.io/gc.ref.content': a,
      })
      await subject.expectLeft(a, root)
      await subject.ns.content.update(root, { merge: { 'containerd.io/gc.root': '' } })
      await subject.expectLeft()
    }))

  test('what labels refer to now, not what they referred to before', () =>
    withSubject(async (subject) => {
      const [a, b] = [await subject.blob('a'), await subject.blob('b')]
      const index = await subject.blob('index', { 'containerd.io/gc.ref.content': a })
      await subject.image('x', index)
      await subject.ns.content.update(index, { merge: { 'containerd.io/gc.ref.content': b } })
      await subject.expectLeft(b, index)
    }))

  test('nothing of a ring that nothing else refers to', () =>
    withSubject(async (subject) => {
      const a = digestOf('a')
      const b = await subject.blob('b', { 'containerd.io/gc.ref.content': a })
      await subject.blob('a', { 'containerd.io/gc.ref.content': b })
      await subject.image('x', a)
      await subject.expectLeft(a, b)
      await subject.ns.images.delete('x')
      await subject.expectLeft()
    }))

  test('what refers back to something that is kept', () =>
    withSubject(async (subject) => {
      const index = await subject.blob('index')
      const signature = await subject.blob('signature', { 'containerd.io/gc.bref.content': index })
      const note = await subject.blob('note', { 'containerd.io/gc.bref.image/any': 'x' })
      await subject.blob('stray', { 'containerd.io/gc.bref.container': 'x' })
      await subject.image('x', index)
      await subject.expectLeft(index, signature, note)
      await subject.ns.images.delete('x')
      await subject.expectLeft()
    }))

  test('what an ingest that is not collected expects', () =>
    withSubject(async (subject) => {
      const a = digestOf('a')
      await using writer = await subject.ns.content.writer({ ref: 'x', expected: a })
      await subject.blob('a')
      await subject.expectLeft(a)
      await writer[Symbol.asyncDispose]()
      await subject.ns.content.abort('x')
      await subject.expectLeft()
    }))
})

describe('leases', () => {
  test('keep what they hold, and what that refers to, until they end', () =>
    withSubject(async (subject) => {
      const { leases } = subject.ns
      const layer = await subject.blob('layer')
      const manifest = await subject.blob('manifest', { 'containerd.io/gc.ref.content.l.0': layer })
      await leases.create({ id: 'l' })
      await leases.addResource('l', { type: 'content', id: manifest })
      await subject.expectLeft(layer, manifest)
      await leases.deleteResource('l', { type: 'content', id: manifest })
      await subject.expectLeft()
    }))

  test('keep only what they hold if they are flat', () =>
    withSubject(async (subject) => {
      const { leases } = subject.ns
      await leases.create({ id: 'l', labels: { 'containerd.io/gc.flat': 'x' } })
      const layer = await subject.blob('layer')
      const manifest = await subject.blob('manifest', { 'containerd.io/gc.ref.content.l.0': layer })
      await leases.addResource('l', { type: 'content', id: manifest })
      await subject.expectLeft(manifest)
    }))

  test('do not make flat what others keep in full', () =>
    withSubject(async (subject) => {
      const { leases } = subject.ns
      await leases.create({ id: 'a', labels: { 'containerd.io/gc.flat': 'x' } })
      const layer = await subject.blob('layer')
      const manifest = await subject.blob('manifest', { 'containerd.io/gc.ref.content.l.0': layer })
      await leases.addResource('a', { type: 'content', id: manifest })
      await subject.image('x', manifest)
      await subject.expectLeft(layer, manifest)
    }))

  test('end at their expiry, with all they held', async () => {
    let time = Date.now()
    const soon = new Date(time + 60_000).toISOString()
    await withSubject(
      async (subject) => {
        const { leases } = subject.ns
        const [a, b] = [await subject.blob('a'), await subject.blob('b')]
        await leases.create({ id: 'ended', labels: { 'containerd.io/gc.expire': soon } })
        await leases.create({ id: 'lasting', labels: { 'containerd.io/gc.expire': future } })
        await leases.addResource('ended', { type: 'content', id: a })
        await leases.addResource('lasting', { type: 'content', id: b })
        time += 59_999
        await subject.expectLeft(a, b)
        time += 1
        expect(await subject.metadata.collect()).toMatchObject({ leases: 1, content: 1 })
        expect((await leases.list()).map(({ id }) => id)).toEqual(['lasting'])
        await subject.expectLeft(b)
        await leases.create({ id: 'ended' })
        expect(await leases.resources('ended')).toEqual([])
      },
      { now: () => time },
    )
  })
})

describe('images', () => {
  test('with an expiry go when it has passed, and are announced', () =>
    withSubject(async (subject) => {
      const [a, b, c] = [await subject.blob('a'), await subject.blob('b'), await subject.blob('c')]
      await subject.image('odd', c, { 'containerd.io/gc.expire': 'never' })
      await subject.image('lasting', b, { 'containerd.io/gc.expire': future })
      await subject.image('ended', a, { 'containerd.io/gc.expire': past })
      await subject.metadata.collect()
      expect((await subject.ns.images.list()).map(({ name }) => name)).toEqual(['lasting', 'odd'])
      expect(subject.events).toContainEqual(['ns', { topic: '/images/delete', payload: { name: 'ended' } }])
      await subject.expectLeft(b, c)
    }))

  test('with an expiry that has passed stay while something refers to them', () =>
    withSubject(async (subject) => {
      const { images, leases, content } = subject.ns
      const [a, b] = [await subject.blob('a'), await subject.blob('b')]
      await leases.create({ id: 'l' })
      await leases.addResource('l', { type: 'images', id: 'held' })
      const root = await subject.blob('root', {
        'containerd.io/gc.root': 'x',
        'containerd.io/gc.ref.image': 'labelled',
      })
      await subject.image('held', a, { 'containerd.io/gc.expire': past })
      await subject.image('labelled', b, { 'containerd.io/gc.expire': past })
      await subject.expectLeft(a, b, root)
      await leases.delete('l')
      await content.update(root, { replace: {} })
      await subject.expectLeft()
      expect(await images.list()).toEqual([])
    }))
})

describe('ingests', () => {
  const day = 24 * 60 * 60 * 1000

  test('without a lease live a day from their last opening, and longer while they have a writer', async () => {
    let time = Date.now()
    await withSubject(
      async (subject) => {
        const { content } = subject.ns
        const open = async () => (await content.writer({ ref: 'x' }))[Symbol.asyncDispose]()
        await open()
        time += day - 1000
        await open()
        time += day - 1000
        await subject.metadata.collect()
        expect(await content.statuses()).toHaveLength(1)
        const writer = await content.writer({ ref: 'x' })
        time += 2 * day
        await subject.metadata.collect()
        await writer.write(new Uint8Array(1))
        await writer[Symbol.asyncDispose]()
        expect(await subject.metadata.collect()).toMatchObject({ ingests: 1 })
        expect(await content.statuses()).toEqual([])
        expect(await subject.backend.statuses()).toEqual([])
      },
      { now: () => time },
    )
  })

  test('with a lease live as long as it', async () => {
    let time = Date.now()
    await withSubject(
      async (subject) => {
        await subject.ns.leases.create({ id: 'l' })
        const { content } = subject.metadata.namespace('ns', { lease: 'l' })
        await (await content.writer({ ref: 'x' }))[Symbol.asyncDispose]()
        time += 10 * day
        await subject.metadata.collect()
        expect(await content.statuses()).toHaveLength(1)
        await subject.ns.leases.delete('l', { sync: true })
        expect(await subject.backend.statuses()).toEqual([])
      },
      { now: () => time },
    )
  })
})

describe('namespaces', () => {
  test('are heaps of their own: a reference keeps nothing of another namespace', () =>
    withSubject(async (subject) => {
      const a = await subject.blob('a')
      await subject.blob('root', { 'containerd.io/gc.root': 'x', 'containerd.io/gc.ref.content': a }, 'other')
      await subject.metadata.collect()
      expect(await subject.blobs()).toEqual([])
      expect(await subject.files()).toEqual([digestOf('root')])
    }))

  test('become empty, and can be deleted, by deleting their images', () =>
    withSubject(async (subject) => {
      const layer = await subject.blob('layer')
      const manifest = await subject.blob('manifest', { 'containerd.io/gc.ref.content.l.0': layer })
      await subject.image('x', manifest)
      await expect(subject.metadata.namespaces.delete('ns')).rejects.toThrow(
        'namespace "ns" must be empty, but it still has images, blobs: failed precondition',
      )
      await subject.ns.images.delete('x', { sync: true })
      await subject.metadata.namespaces.delete('ns')
      expect(await subject.metadata.namespaces.list()).toEqual([])
      expect(await subject.files()).toEqual([])
    }))

  test('can be deleted with leases and ingests in them, whose bytes go too', () =>
    withSubject(async (subject) => {
      await subject.ns.leases.create({ id: 'l' })
      {
        await using writer = await subject.metadata
          .namespace('ns', { lease: 'l' })
          .content.writer({ ref: 'x' })
        await writer.write(Buffer.from('a'))
      }
      await subject.metadata.namespaces.delete('ns')
      await subject.metadata.collect()
      expect(await subject.backend.statuses()).toEqual([])
      expect(await subject.ns.leases.list()).toEqual([])
    }))
})
