import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import type { NewContainer } from '@nsbox/core/containers'
import type { DomainEvent } from '@nsbox/core/events'
import type { Labels } from '@nsbox/core/labels'
import { errorCode } from '@nsbox/errors'
import type { Digest } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { expect, test } from 'vitest'
import { type Metadata, type NamespaceView, openMetadata } from './open-metadata.ts'

interface Subject {
  readonly metadata: Metadata
  readonly ns: NamespaceView
  readonly events: [string, DomainEvent][]
  /** Stores a blob that nothing holds. */
  blob(seed: string, labels?: Labels): Promise<Digest>
  /** The blobs that are left after a collection. */
  left(): Promise<Digest[]>
}

async function withSubject(body: (subject: Subject) => Promise<void>): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await tempDir('nsbox-containers'))
  const content = stack.use(await openContentStore({ root: join(path, 'content'), durability: 'relaxed' }))
  const events: [string, DomainEvent][] = []
  const metadata = stack.use(
    await openMetadata({
      path: join(path, 'metadata.db'),
      content,
      durability: 'relaxed',
      collector: { startupDelay: 3_600_000, scheduleDelay: 3_600_000 },
      onEvent: (namespace, event) => events.push([namespace, event]),
    }),
  )
  const ns = metadata.namespace('ns')
  await body({
    metadata,
    ns,
    events,
    async blob(seed, labels = {}) {
      await using writer = await ns.content.writer({ ref: seed })
      await writer.write(Buffer.from(seed))
      return (await writer.commit({ labels })).digest
    },
    async left() {
      await metadata.collect()
      const digests: Digest[] = []
      for await (const { digest } of content.list()) digests.push(digest)
      return digests
    },
  })
}

const container = (id: string, more: Partial<NewContainer> = {}): NewContainer => ({
  id,
  runtime: { name: 'io.containerd.runc.v2' },
  spec: { typeUrl: 'x', value: Uint8Array.of(1) },
  ...more,
})

test('a container keeps what its labels refer to until they change or it is deleted', () =>
  withSubject(async ({ ns, blob, left }) => {
    const layer = await blob('layer')
    const manifest = await blob('manifest', { 'containerd.io/gc.ref.content.l.0': layer })
    const other = await blob('other')
    const labels = { 'containerd.io/gc.ref.content': manifest, 'containerd.io/gc.ref.content/o': other }
    await ns.containers.create(container('x', { labels }))
    expect(await left()).toEqual([layer, manifest, other].sort())
    await ns.containers.update(container('x'), ['labels.containerd.io/gc.ref.content/o'])
    expect(await left()).toEqual([layer, manifest].sort())
    await ns.containers.delete('x')
    expect(await left()).toEqual([])
  }))

test('a container keeps the image that its labels refer to, but not the one that it names', () =>
  withSubject(async ({ ns, blob, left }) => {
    const [labelled, named] = [await blob('labelled'), await blob('named')]
    const labels = { 'containerd.io/gc.ref.image': 'labelled' }
    await ns.containers.create(container('x', { image: 'named', labels }))
    // Last, since an image that has expired may be collected from then on.
    const expired = { 'containerd.io/gc.expire': '2020-01-01T00:00:00Z' }
    for (const [name, digest] of Object.entries({ labelled, named })) {
      await ns.images.create({ name, target: { mediaType: 'a/b', digest, size: 1 }, labels: expired })
    }
    expect(await left()).toEqual([labelled])
    expect((await ns.images.list()).map(({ name }) => name)).toEqual(['labelled'])
  }))

test('a container keeps what refers back to it', () =>
  withSubject(async ({ ns, blob, left }) => {
    const bound = await blob('bound', { 'containerd.io/gc.bref.container/1': 'x' })
    await blob('stray', { 'containerd.io/gc.bref.container': 'y' })
    await ns.containers.create(container('x'))
    expect(await left()).toEqual([bound])
    await ns.containers.delete('x')
    expect(await left()).toEqual([])
  }))

test('a container that refers back to what is gone stays', () =>
  withSubject(async ({ ns, left }) => {
    await ns.containers.create(container('x', { labels: { 'containerd.io/gc.bref.image': 'gone' } }))
    await left()
    expect((await ns.containers.get('x')).id).toBe('x')
  }))

test('no lease holds a container, and its end takes none along', () =>
  withSubject(async ({ metadata, ns }) => {
    await ns.leases.create({ id: 'lease' })
    const leased = metadata.namespace('ns', { lease: 'lease' })
    await leased.containers.create(container('x'))
    expect(await ns.leases.resources('lease')).toEqual([])
    const held = ns.leases.addResource('lease', { type: 'containers', id: 'x' })
    expect(await held.catch(errorCode)).toBe('unimplemented')
    await ns.leases.delete('lease', { sync: true })
    expect((await ns.containers.get('x')).id).toBe('x')
    // As with stock containerd, a container ignores leases, even missing ones.
    await metadata.namespace('ns', { lease: 'none' }).containers.create(container('y'))
  }))

test('a namespace with a container is not deleted', () =>
  withSubject(async ({ metadata, ns }) => {
    await ns.containers.create(
      container('x', { extensions: { e: { typeUrl: 'e', value: Uint8Array.of(1) } } }),
    )
    await expect(metadata.namespaces.delete('ns')).rejects.toThrow(
      'namespace "ns" must be empty, but it still has containers: failed precondition',
    )
    await ns.containers.delete('x')
    await metadata.namespaces.delete('ns')
    expect(await ns.containers.get('x').catch(errorCode)).toBe('not_found')
  }))

test('containers of one namespace are unknown in another', () =>
  withSubject(async ({ metadata, ns }) => {
    const other = metadata.namespace('other').containers
    await ns.containers.create(container('x', { image: 'a' }))
    await other.create(container('x', { image: 'b' }))
    await ns.containers.delete('x')
    expect((await other.get('x')).image).toBe('b')
  }))

test('what happens to a container is told', () =>
  withSubject(async ({ metadata, ns, events }) => {
    const options = { typeUrl: 'containerd.runc.v1.Options', value: Uint8Array.of(8, 1) }
    const runtime = { name: 'io.containerd.runc.v2', options }
    const given = { runtime, image: 'i', snapshotter: 'overlayfs', snapshotKey: 'key' }
    await ns.containers.create(container('x', given))
    await ns.containers.update(container('x', { labels: { a: '1' } }), ['labels'])
    await ns.containers.delete('x')
    await ns.containers.delete('x').catch(() => undefined)
    await metadata.namespaces.create({ name: 'last' })
    await expect.poll(() => events.length).toBe(4)
    expect(events.slice(0, 3)).toEqual([
      ['ns', { topic: '/containers/create', payload: { id: 'x', image: 'i', runtime } }],
      [
        'ns',
        {
          topic: '/containers/update',
          payload: { id: 'x', image: 'i', labels: { a: '1' }, snapshotKey: 'key' },
        },
      ],
      ['ns', { topic: '/containers/delete', payload: { id: 'x' } }],
    ])
  }))

test('labels and extensions may have the names of what every object has', () =>
  withSubject(async ({ ns: { containers } }) => {
    const value = { typeUrl: 'e', value: Uint8Array.of(1) }
    const extensions = Object.fromEntries([['__proto__', value]])
    const labels = JSON.parse('{"__proto__":"1","toString":"2"}')
    await containers.create(container('x', { labels, extensions }))
    await containers.update(container('x'), ['labels.valueOf', 'extensions.valueOf'])
    const found = await containers.get('x')
    expect(Object.entries(found.labels)).toEqual([
      ['__proto__', '1'],
      ['toString', '2'],
    ])
    expect(Object.keys(found.extensions)).toEqual(['__proto__'])
    await containers.update(container('x'), ['labels.__proto__', 'extensions.__proto__'])
    expect(Object.keys((await containers.get('x')).labels)).toEqual(['toString'])
    expect(Object.keys((await containers.get('x')).extensions)).toEqual([])
  }))

test('a listing passes over what is deleted meanwhile', () =>
  withSubject(async ({ ns: { containers } }) => {
    // Together they are too large for memory.
    const spec = { typeUrl: 'large', value: new Uint8Array(2 * 1024 * 1024) }
    for (const id of ['a', 'b', 'c']) await containers.create(container(id, { spec }))
    const seen: string[] = []
    for await (const { id } of containers.list()) {
      seen.push(id)
      if (id === 'a') await containers.delete('b')
    }
    expect(seen).toEqual(['a', 'c'])
  }))
