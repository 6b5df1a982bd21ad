import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import type { StoredObject } from '@nsbox/core/disk'
import { digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { createClock } from '@nsbox/time'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { expect, test } from 'vitest'
import { openMetadata } from '../open-metadata.ts'

async function opened() {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await tempDir('nsbox-objects'))
  const content = stack.use(await openContentStore({ root: path, durability: 'relaxed' }))
  const clock = { now: Date.now() }
  const metadata = stack.use(
    await openMetadata({
      path: join(path, 'metadata.db'),
      content,
      durability: 'relaxed',
      clock: createClock(() => clock.now),
      collector: { startupDelay: 3_600_000, scheduleDelay: 3_600_000 },
    }),
  )
  const owned = stack.move()
  const list = async (options?: { readonly sizes?: boolean }) => {
    const objects: StoredObject[] = []
    for await (const object of metadata.namespace('a').objects(options)) objects.push(object)
    return objects
  }
  return {
    ...metadata.namespace('a'),
    metadata,
    clock,
    list,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

test('an ingest stays while it is written, and until it expires', async () => {
  await using store = await opened()
  await using writer = await store.content.writer({ ref: 'layer', total: 100 })
  await writer.write(Buffer.from('some'))
  store.clock.now += 48 * 60 * 60 * 1000
  expect(await store.list({ sizes: true })).toMatchObject([
    { kind: 'ingest', id: 'layer', isRoot: true, size: 4, expiresAt: expect.any(Date) },
  ])
  await writer[Symbol.asyncDispose]()
  store.clock.now += 48 * 60 * 60 * 1000
  expect(await store.list()).toMatchObject([{ kind: 'ingest', id: 'layer', isRoot: false, size: undefined }])
})

test('an image that has expired is no root', async () => {
  await using store = await opened()
  const target = { mediaType: 'x/y', digest: digestOf('x'), size: 1 }
  const expires = new Date(store.clock.now + 1000)
  await store.images.create({
    ...{ name: 'i', target },
    labels: { 'containerd.io/gc.expire': expires.toISOString() },
  })
  const references = [{ kind: 'content', id: target.digest }]
  expect(await store.list()).toMatchObject([
    { kind: 'image', id: 'i', isRoot: true, expiresAt: expires, references },
  ])
  store.clock.now += 2000
  expect(await store.list()).toMatchObject([{ kind: 'image', id: 'i', isRoot: false }])
})

test('all references of an object are told, few at a time', async () => {
  await using store = await opened()
  await store.leases.create({ id: 'l' })
  const ids = Array.from({ length: 1100 }, (_, index) => `image${`${index}`.padStart(4, '0')}`)
  for (const id of ids) await store.leases.addResource('l', { type: 'images', id })
  const objects = await store.list()
  expect(objects.map(({ id, references }) => [id, references.length])).toEqual([
    ['l', 500],
    ['l', 500],
    ['l', 100],
  ])
  expect(objects.flatMap(({ references }) => references.map(({ id }) => id))).toEqual(ids)
})
