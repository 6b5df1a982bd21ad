import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type LocalContentStore, openContentStore } from '@nsbox/content'
import type { DomainEvent } from '@nsbox/core/events'
import type { Labels } from '@nsbox/core/labels'
import { errorCode } from '@nsbox/errors'
import { type Digest, digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { describe, expect, test } from 'vitest'
import type { CollectorSchedule } from './collector.ts'
import { type Metadata, openMetadata } from './open-metadata.ts'

const never = { startupDelay: 3_600_000, scheduleDelay: 3_600_000 }
const past = '2020-01-01T00:00:00Z'
const future = '2100-01-01T00:00:00Z'

class Subject {
  readonly metadata: Metadata
  readonly backend: LocalContentStore
  readonly events: [string, DomainEvent][]

  constructor(metadata: Metadata, backend: LocalContentStore, events: [string, DomainEvent][]) {
    this.metadata = metadata
    this.backend = backend
    this.events = events
  }

  get ns() {
    return this.metadata.namespace('ns')
  }

  /** Stores a blob whose bytes are `seed`, with labels, held by nothing. */
  async blob(seed: string, labels: Labels = {}, namespace = 'ns'): Promise<Digest> {
    await using writer = await this.metadata.namespace(namespace).content.writer({ ref: `blob-${seed}` })
    if (writer.status().offset === 0) await writer.write(Buffer.from(seed))
    return (await writer.commit({ labels })).digest
  }

  async image(name: string, digest: Digest, labels: Labels = {}): Promise<void> {
    const mediaType = 'application/vnd.oci.image.manifest.v1+json'
    await this.ns.images.create({ name, target: { mediaType, digest, size: 1 }, labels })
  }

  async blobs(namespace = 'ns'): Promise<Digest[]> {
    const digests: Digest[] = []
    for await (const info of this.metadata.namespace(namespace).content.list()) digests.push(info.digest)
    return digests
  }

  async files(): Promise<Digest[]> {
    const digests: Digest[] = []
    for await (const info of this.backend.list()) digests.push(info.digest)
    return digests
  }

  /** Collects, and expects just these blobs to be left. */
  async expectLeft(...digests: Digest[]): Promise<void> {
    await this.metadata.collect()
    expect(await this.blobs()).toEqual([...digests].sort())
    expect(await this.files()).toEqual([...digests].sort())
  }
}

async function withSubject(
  body: (subject: Subject, path: string) => Promise<void>,
  { collector = never, now }: { collector?: CollectorSchedule; now?: () => number } = {},
): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await tempDir('nsbox-collector'))
  const backend = stack.use(await openContentStore({ root: join(path, 'content'), durability: 'relaxed' }))
  const events: [string, DomainEvent][] = []
  const metadata = stack.use(
    await openMetadata({
      path: join(path, 'metadata.db'),
      content: backend,
      durability: 'relaxed',
      collector,
      now,
      onEvent: (namespace, event) => events.push([namespace, event]),
    }),
  )
  await body(new Subject(metadata, backend, events), path)
}

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

  test('a lease that expires while nothing happens wakes the collector', () =>
    withSubject(
      async (subject) => {
        const { leases } = subject.ns
        const a = await subject.blob('a')
        const soon = Date.now() + 1000
        const labels = { 'containerd.io/gc.expire': new Date(soon).toISOString() }
        await leases.create({ id: 'l', labels })
        await leases.addResource('l', { type: 'content', id: a })
        await expect.poll(() => subject.files(), { timeout: 5000 }).toEqual([])
        expect(Date.now()).toBeGreaterThanOrEqual(soon)
        expect(await leases.list()).toEqual([])
      },
      { collector: {} },
    ))

  test('held across a restart, a lease wakes the collector of the next process', async () => {
    await using directory = await tempDir('nsbox-collector')
    await using backend = await openContentStore({ root: join(directory.path, 'content') })
    const options = { path: join(directory.path, 'metadata.db'), content: backend }
    const soon = Date.now() + 1000
    {
      await using metadata = await openMetadata({ ...options, collector: never })
      const labels = { 'containerd.io/gc.expire': new Date(soon).toISOString() }
      await metadata.namespace('ns').leases.create({ id: 'l', labels })
    }
    await using metadata = await openMetadata({ ...options, collector: { startupDelay: 0 } })
    const list = async () => (await metadata.namespace('ns').leases.list()).length
    await expect.poll(list, { timeout: 5000 }).toBe(0)
    expect(Date.now()).toBeGreaterThanOrEqual(soon)
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

describe('when it runs', () => {
  test('deleting with `sync` has collected when it returns', () =>
    withSubject(async (subject) => {
      const { images, leases } = subject.ns
      await subject.image('x', await subject.blob('a'))
      await leases.create({ id: 'l' })
      await leases.addResource('l', { type: 'content', id: await subject.blob('b') })
      await images.delete('x', { sync: true })
      expect(await subject.files()).toEqual([digestOf('b')])
      await leases.delete('l', { sync: true })
      expect(await subject.files()).toEqual([])
    }))

  test('soon after a deletion, by itself', () =>
    withSubject(
      async (subject) => {
        await subject.metadata.collect()
        await subject.ns.leases.create({ id: 'l' })
        const leased = subject.metadata.namespace('ns', { lease: 'l' })
        const writer = await leased.content.writer({ ref: 'x' })
        await writer.write(Buffer.from('a'))
        await subject.image('x', (await writer.commit()).digest)
        await subject.ns.leases.delete('l')
        await setTimeout(200)
        expect(await subject.files()).toHaveLength(1)
        await subject.ns.images.delete('x')
        await expect.poll(() => subject.files(), { timeout: 5000 }).toEqual([])
      },
      { collector: {} },
    ))

  test('after enough other changes, by itself', () =>
    withSubject(
      async (subject) => {
        await subject.metadata.collect()
        await subject.blob('a')
        await setTimeout(100)
        expect(await subject.files()).toHaveLength(1)
        for (let i = 0; i < 20; i++) await subject.metadata.namespaces.create({ name: `n${i}` })
        await expect.poll(() => subject.files(), { timeout: 5000 }).toEqual([])
      },
      { collector: { startupDelay: 3_600_000, mutationThreshold: 20 } },
    ))

  test('collections asked for together are one, and one that runs already does not count', () =>
    withSubject(async (subject) => {
      const running = subject.metadata.collect()
      const results = await Promise.all([subject.metadata.collect(), subject.metadata.collect()])
      expect(results[0]).toBe(results[1])
      expect(await running).not.toBe(results[0])
    }))

  test('an abort ends the waiting', () =>
    withSubject(async (subject) => {
      const reason = new Error('the caller gave up')
      await expect(subject.metadata.collect({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      const controller = new AbortController()
      const collection = subject.metadata.collect({ signal: controller.signal })
      controller.abort(reason)
      await expect(collection).rejects.toBe(reason)
    }))

  test('in batches, if there is much to collect', async () => {
    let time = Date.now()
    const labels = { 'containerd.io/gc.expire': new Date(time + 60_000).toISOString() }
    await withSubject(
      async (subject) => {
        await subject.blob('a')
        for (let i = 0; i < 2500; i++) await subject.ns.leases.create({ id: `l${i}`, labels })
        time += 60_000
        expect(await subject.metadata.collect()).toMatchObject({ leases: 2500, content: 1 })
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

describe('the backend', () => {
  test('loses what an earlier process left between file and row', async () => {
    await using directory = await tempDir('nsbox-collector')
    await using backend = await openContentStore({ root: join(directory.path, 'content') })
    const options = { path: join(directory.path, 'metadata.db'), content: backend, collector: never }
    {
      await using metadata = await openMetadata(options)
      await new Subject(metadata, backend, []).blob('kept', { 'containerd.io/gc.root': 'x' })
      await (await metadata.namespace('ns').content.writer({ ref: 'kept' }))[Symbol.asyncDispose]()
    }
    {
      await using writer = await backend.writer({ ref: 'ns/99/orphan' })
      await writer.write(Buffer.from('orphan'))
      await using other = await backend.writer({ ref: 'orphan' })
      await other.write(Buffer.from('other'))
      await other.commit()
    }
    await using metadata = await openMetadata(options)
    const subject = new Subject(metadata, backend, [])
    await metadata.collect()
    expect(await subject.files()).toEqual([digestOf('kept')])
    expect((await backend.statuses()).map(({ ref }) => ref)).toEqual(['ns/2/kept'])
  })

  test('that fails to remove a blob is asked again, and the caller’s deletion stands', () =>
    withSubject(async (subject) => {
      const { backend } = subject
      await subject.image('x', await subject.blob('a'))
      const remove = backend.delete.bind(backend)
      backend.delete = () => Promise.reject(new Error('EBUSY'))
      await subject.ns.images.delete('x', { sync: true })
      expect(await subject.blobs()).toEqual([])
      expect(await subject.files()).toEqual([digestOf('a')])
      backend.delete = remove
      await subject.metadata.collect()
      expect(await subject.files()).toEqual([])
    }))

  test('never loses a blob that is taken into use while it is being removed', () =>
    withSubject(async (subject) => {
      const { backend, metadata } = subject
      const remove = backend.delete.bind(backend)
      backend.delete = async (...given) => {
        await setTimeout(Math.random() * 3)
        await remove(...given)
      }
      const seeds = ['a', 'b', 'c']
      const names = ['x', 'y', 'z']
      const worker = async (namespace: string) => {
        const { content } = metadata.namespace(namespace)
        for (let i = 0; i < 60; i++) {
          const seed = seeds[Math.floor(Math.random() * seeds.length)] as string
          const digest = digestOf(seed)
          const expected = Math.random() < 0.7 ? digest : undefined
          try {
            await using writer = await content.writer({ ref: `ref-${seed}`, expected })
            await writer.write(Buffer.from(seed).subarray(writer.status().offset))
            await writer.commit({ labels: { 'containerd.io/gc.root': 'x' } })
          } catch (error) {
            expect(errorCode(error)).toBe('already_exists')
          }
          let read = ''
          for await (const chunk of content.read(digest)) read += Buffer.from(chunk).toString()
          expect(read).toBe(seed)
          await content.delete(digest)
        }
      }
      let running = true
      const collecting = async () => {
        while (running) {
          await metadata.collect()
          await setTimeout(0)
        }
      }
      const collector = collecting()
      await Promise.all(names.map(worker))
      running = false
      await collector
      await metadata.collect()
      expect(await subject.files()).toEqual([])
    }))
})
