import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import { errorCode } from '@nsbox/errors'
import { digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { expect, test } from 'vitest'
import { type Metadata, openMetadata } from './open-metadata.ts'

async function setUp(): Promise<{ metadata: Metadata } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await tempDir('nsbox-leases'))
  const content = stack.use(await openContentStore({ root: join(path, 'content'), durability: 'relaxed' }))
  const metadata = stack.use(
    await openMetadata({ path: join(path, 'metadata.db'), content, durability: 'relaxed' }),
  )
  const owned = stack.move()
  return { metadata, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

const bytes = Buffer.from('held')
const digest = digestOf(bytes)
const target = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 4 }

test('a view with a lease makes the lease hold what is made through it', async () => {
  await using subject = await setUp()
  const { leases } = subject.metadata.namespace('ns')
  await leases.create({ id: 'l' })
  const view = subject.metadata.namespace('ns', { lease: 'l' })
  const writer = await view.content.writer({ ref: 'layer' })
  expect(await leases.resources('l')).toEqual([{ type: 'ingests', id: 'layer' }])
  await writer.write(bytes)
  await writer.commit()
  expect(await leases.resources('l')).toEqual([{ type: 'content', id: digest }])
  await view.images.create({ name: 'x', target })
  expect(await leases.resources('l')).toEqual([
    { type: 'content', id: digest },
    { type: 'images', id: 'x' },
  ])
  await view.images.delete('x')
  await view.content.delete(digest)
  expect(await leases.resources('l')).toEqual([])
})

test('a blob that exists already is held by the lease of who wanted to write it', async () => {
  await using subject = await setUp()
  const { leases } = subject.metadata.namespace('ns')
  for (const id of ['first', 'second']) await leases.create({ id })
  const writer = await subject.metadata.namespace('ns', { lease: 'first' }).content.writer({ ref: 'layer' })
  await writer.write(bytes)
  await writer.commit()
  const { content } = subject.metadata.namespace('ns', { lease: 'second' })
  expect(await content.writer({ ref: 'again', expected: digest }).catch(errorCode)).toBe('already_exists')
  expect(await leases.resources('second')).toEqual([{ type: 'content', id: digest }])
  await leases.delete('first', { sync: true })
  expect(await content.info(digest)).toMatchObject({ digest })
})

test('nothing is made through a view whose lease does not exist', async () => {
  await using subject = await setUp()
  const { images, content } = subject.metadata.namespace('ns', { lease: 'gone' })
  await expect(images.create({ name: 'x', target })).rejects.toThrow('lease does not exist: not found')
  expect(await content.writer({ ref: 'layer' }).catch(errorCode)).toBe('not_found')
  expect(await images.list()).toEqual([])
  expect(await content.statuses()).toEqual([])
  expect(await subject.metadata.namespaces.list()).toEqual([])
})

test('a commit whose lease has gone meanwhile publishes nothing and leaves nothing', async () => {
  await using subject = await setUp()
  const { leases, content } = subject.metadata.namespace('ns')
  await leases.create({ id: 'l' })
  {
    await using writer = await subject.metadata
      .namespace('ns', { lease: 'l' })
      .content.writer({ ref: 'layer' })
    await writer.write(bytes)
    await leases.delete('l')
    expect(await writer.commit().catch(errorCode)).toBe('not_found')
  }
  expect(await content.info(digest).catch(errorCode)).toBe('not_found')
  await subject.metadata.collect()
  expect(await content.statuses()).toEqual([])
})

test('D07 a view needs a namespace that is an identifier', async () => {
  await using subject = await setUp()
  const view = (name: string) => {
    try {
      return subject.metadata.namespace(name)
    } catch (error) {
      return errorCode(error)
    }
  }
  expect(view('')).toBe('failed_precondition')
  expect(view('../x')).toBe('invalid_argument')
  expect(view('__proto__')).toBe('invalid_argument')
  expect(view('x'.repeat(77))).toBe('invalid_argument')
  expect(view('constructor')).toHaveProperty('images')
})
