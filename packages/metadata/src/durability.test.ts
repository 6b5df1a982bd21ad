import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { openContentStore } from '@nsbox/content'
import type { DomainEvent } from '@nsbox/core/events'
import { digestOf } from '@nsbox/oci'
import { openDatabase } from '@nsbox/sqlite'
import { tempDir } from '@nsbox/testing'
import { createClock } from '@nsbox/time'
import { describe, expect, test } from 'vitest'
import { migrations } from './database/schema.ts'
import { createMetadata } from './open-metadata.ts'
import { type SlowDisk, watch, withSlowDisk } from './testing/slow-disk.ts'

const bytes = Buffer.from('bytes')
const digest = digestOf(bytes)
const target = { mediaType: 'x/y', digest, size: 1 }
const container = { id: 'c', runtime: { name: 'r' }, spec: { typeUrl: 's', value: bytes } }

async function put({ metadata }: SlowDisk, namespace = 'ns'): Promise<void> {
  await using writer = await metadata.namespace(namespace).content.writer({ ref: 'put' })
  await writer.write(bytes)
  await writer.commit()
}

/** Each kind of change: its preparation, the change, and its event. */
const changes: Record<
  string,
  { before?: (s: SlowDisk) => Promise<unknown>; change: (s: SlowDisk) => Promise<unknown>; event?: string }
> = {
  'creating a namespace': {
    change: ({ metadata }) => metadata.namespaces.create({ name: 'n' }),
    event: '/namespaces/create',
  },
  'updating a namespace': {
    before: ({ metadata }) => metadata.namespaces.create({ name: 'n' }),
    change: ({ metadata }) => metadata.namespaces.update('n', { merge: { a: '1' } }),
    event: '/namespaces/update',
  },
  'deleting a namespace': {
    before: ({ metadata }) => metadata.namespaces.create({ name: 'n' }),
    change: ({ metadata }) => metadata.namespaces.delete('n'),
    event: '/namespaces/delete',
  },
  'creating an image': {
    change: ({ metadata }) => metadata.namespace('ns').images.create({ name: 'x', target }),
    event: '/images/create',
  },
  'updating an image': {
    before: ({ metadata }) => metadata.namespace('ns').images.create({ name: 'x', target }),
    change: ({ metadata }) => metadata.namespace('ns').images.update('x', { labels: { merge: { a: '1' } } }),
    event: '/images/update',
  },
  'deleting an image': {
    before: ({ metadata }) => metadata.namespace('ns').images.create({ name: 'x', target }),
    change: ({ metadata }) => metadata.namespace('ns').images.delete('x'),
    event: '/images/delete',
  },
  'creating a container': {
    change: ({ metadata }) => metadata.namespace('ns').containers.create(container),
    event: '/containers/create',
  },
  'updating a container': {
    before: ({ metadata }) => metadata.namespace('ns').containers.create(container),
    change: ({ metadata }) => metadata.namespace('ns').containers.update(container, ['image']),
    event: '/containers/update',
  },
  'deleting a container': {
    before: ({ metadata }) => metadata.namespace('ns').containers.create(container),
    change: ({ metadata }) => metadata.namespace('ns').containers.delete('c'),
    event: '/containers/delete',
  },
  'opening an ingest': {
    change: ({ metadata }) => metadata.namespace('ns').content.writer({ ref: 'x' }),
  },
  'opening an ingest for a blob of another namespace': {
    before: put,
    change: ({ metadata }) => metadata.namespace('other').content.writer({ ref: 'x', expected: digest }),
  },
  'aborting an ingest': {
    before: async ({ metadata }) => {
      const writer = await metadata.namespace('ns').content.writer({ ref: 'x' })
      await writer[Symbol.asyncDispose]()
    },
    change: ({ metadata }) => metadata.namespace('ns').content.abort('x'),
  },
  'updating a blob': {
    before: put,
    change: ({ metadata }) => metadata.namespace('ns').content.update(digest, { merge: { a: '1' } }),
  },
  'deleting a blob': {
    before: put,
    change: ({ metadata }) => metadata.namespace('ns').content.delete(digest),
    event: '/content/delete',
  },
  'creating a lease': {
    change: ({ metadata }) => metadata.namespace('ns').leases.create({ id: 'l' }),
  },
  'deleting a lease': {
    before: ({ metadata }) => metadata.namespace('ns').leases.create({ id: 'l' }),
    change: ({ metadata }) => metadata.namespace('ns').leases.delete('l'),
  },
  'holding a resource': {
    before: ({ metadata }) => metadata.namespace('ns').leases.create({ id: 'l' }),
    change: ({ metadata }) =>
      metadata.namespace('ns').leases.addResource('l', { type: 'content', id: digest }),
  },
}

describe('is not answered, and no event tells of it, before it is on disk:', () => {
  for (const [what, { before, change, event }] of Object.entries(changes)) {
    test(what, () =>
      withSlowDisk(async (subject) => {
        await before?.(subject)
        const told = subject.events.length
        subject.hold()
        const operation = watch(change(subject))
        await expect.poll(subject.begun).toBeGreaterThan(0)
        await setTimeout(5)
        expect(operation.settled).toBe(false)
        expect(subject.events).toHaveLength(told)
        subject.release()
        const result = await operation.end
        expect(result).not.toBeInstanceOf(Error)
        expect(subject.events.slice(told)).toEqual(event === undefined ? [] : [event])
        if (what.startsWith('opening')) await (result as AsyncDisposable)[Symbol.asyncDispose]()
      }),
    )
  }

  test('committing a blob', () =>
    withSlowDisk(async (subject) => {
      const writer = await subject.metadata.namespace('ns').content.writer({ ref: 'x' })
      await writer.write(bytes)
      subject.hold()
      const operation = watch(writer.commit())
      await expect.poll(subject.begun).toBeGreaterThan(0)
      await setTimeout(5)
      expect(operation.settled).toBe(false)
      expect(subject.events).toEqual([])
      subject.release()
      expect(await operation.end).toMatchObject({ digest })
      expect(subject.events).toEqual(['/content/create'])
    }))
})

describe('what may have seen a change waits for the change to be on disk:', () => {
  const first = async <T>(iterable: AsyncIterable<T>) => iterable[Symbol.asyncIterator]().next()
  const reads: Record<string, (s: SlowDisk) => Promise<unknown>> = {
    'a namespace': ({ metadata }) => metadata.namespaces.get('ns'),
    'a list of namespaces': ({ metadata }) => metadata.namespaces.list(),
    'an image': ({ metadata }) => metadata.namespace('ns').images.get('x'),
    'a list of images': ({ metadata }) => metadata.namespace('ns').images.list(),
    'that there is no such image': ({ metadata }) => metadata.namespace('ns').images.get('y'),
    'that there is such an image already': ({ metadata }) =>
      metadata.namespace('ns').images.create({ name: 'x', target }),
    'the info of a blob': ({ metadata }) => metadata.namespace('ns').content.info(digest),
    'the bytes of a blob': ({ metadata }) => first(metadata.namespace('ns').content.read(digest)),
    'a list of blobs': ({ metadata }) => first(metadata.namespace('ns').content.list()),
    'that a blob exists': ({ metadata }) =>
      metadata.namespace('ns').content.writer({ ref: 'z', expected: digest }),
    'a list of ingests': ({ metadata }) => metadata.namespace('ns').content.statuses(),
    'a list of containers': ({ metadata }) => first(metadata.namespace('ns').containers.list()),
    'that there is no such container': ({ metadata }) => metadata.namespace('ns').containers.get('none'),
    'a list of leases': ({ metadata }) => metadata.namespace('ns').leases.list(),
    'that there is no such lease': ({ metadata }) => metadata.namespace('ns').leases.resources('none'),
  }
  for (const [what, read] of Object.entries(reads)) {
    test(what, () =>
      withSlowDisk(async (subject) => {
        await put(subject)
        subject.hold()
        const change = watch(subject.metadata.namespace('ns').images.create({ name: 'x', target }))
        const reading = watch(read(subject))
        await expect.poll(subject.begun).toBeGreaterThan(0)
        await setTimeout(5)
        expect([change.settled, reading.settled]).toEqual([false, false])
        subject.release()
        await Promise.all([change.end, reading.end])
      }),
    )
  }

  test('at once if everything is on disk', () =>
    withSlowDisk(async (subject) => {
      await put(subject)
      subject.hold()
      for (const read of [reads['the info of a blob'], reads['a list of images'], reads['a list of blobs']]) {
        await read?.(subject)
      }
      expect(subject.begun()).toBe(0)
    }))
})

describe('events', () => {
  test('that nobody would hear are not waited for, and not told later', async () => {
    let heard = false
    const create = ({ metadata }: SlowDisk, name: string) =>
      metadata.namespace('ns').images.create({ name, target })
    await withSlowDisk(
      async (disk) => {
        disk.hold()
        await create(disk, 'unheard')
        await setTimeout(5)
        expect(disk.begun()).toBe(0)
        heard = true
        await create(disk, 'heard')
        await expect.poll(disk.begun).toBe(1)
        expect(disk.events).toEqual([])
        disk.release()
        await expect.poll(() => disk.events).toEqual(['/images/create'])
      },
      { answers: 'held', isHeard: () => heard },
    )
  })

  test('come in the order of the commits, and one that fails its listener holds up none', async () => {
    await using directory = await tempDir('nsbox-events')
    await using content = await openContentStore({ root: join(directory.path, 'content') })
    const events: DomainEvent[] = []
    const warnings: object[] = []
    await using metadata = createMetadata(
      await openDatabase({ path: join(directory.path, 'metadata.db'), migrations }),
      {
        content,
        log: { warn: (fields) => warnings.push(fields), debug: () => undefined },
        onEvent: (namespace, event) => {
          events.push(event)
          expect(namespace).toBe('ns')
          if (event.topic === '/namespaces/create') throw new Error('listener')
        },
      },
    )
    const { images } = metadata.namespace('ns')
    await metadata.namespaces.create({ name: 'ns', labels: { a: '1' } })
    await Promise.all(['x', 'y', 'z'].map((name) => images.create({ name, target, labels: { of: name } })))
    await images.delete('y')
    await metadata.durable()
    expect(events.map(({ topic, payload }) => [topic, 'name' in payload && payload.name])).toEqual([
      ['/namespaces/create', 'ns'],
      ['/images/create', 'x'],
      ['/images/create', 'y'],
      ['/images/create', 'z'],
      ['/images/delete', 'y'],
    ])
    expect(events[1]?.payload).toHaveProperty('labels.of', 'x')
    expect(warnings).toHaveLength(1)
  })
})

test('D21 a disk that refuses a sync is fatal, and nothing is answered or told afterwards', async () => {
  await using directory = await tempDir('nsbox-fatal')
  await using content = await openContentStore({ root: join(directory.path, 'content') })
  const fatal: unknown[] = []
  const told: unknown[] = []
  const db = await openDatabase({
    path: join(directory.path, 'metadata.db'),
    migrations,
    sync: () => Promise.reject(new Error('EIO')),
    onFatal: (error) => fatal.push(error),
  })
  const metadata = createMetadata(db, { content, onEvent: (_, event) => told.push(event) })
  const { images } = metadata.namespace('ns')
  await expect(images.create({ name: 'x', target })).rejects.toMatchObject({ code: 'data_loss' })
  await expect(images.get('x')).rejects.toMatchObject({ code: 'data_loss' })
  expect(fatal).toHaveLength(1)
  expect(told).toEqual([])
  await expect(async () => metadata[Symbol.asyncDispose]()).rejects.toMatchObject({ code: 'data_loss' })
})

test('D22 an update is later than what it changes, though the clock is set back', async () => {
  await using directory = await tempDir('nsbox-clock')
  await using content = await openContentStore({ root: join(directory.path, 'content') })
  let now = Date.now()
  const db = await openDatabase({ path: join(directory.path, 'metadata.db'), migrations })
  await using metadata = createMetadata(db, { content, clock: createClock(() => now) })
  const { images, content: blobs } = metadata.namespace('ns', {})
  const image = await images.create({ name: 'x', target })
  const writer = await blobs.writer({ ref: 'x' })
  await writer.write(bytes)
  const blob = await writer.commit()
  now -= 3_600_000
  const labels = { merge: { a: '1' } }
  expect((await images.update('x', { labels })).updatedAt > image.updatedAt).toBe(true)
  expect((await blobs.update(digest, labels)).updatedAt > blob.updatedAt).toBe(true)
})
