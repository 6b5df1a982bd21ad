import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContentReader } from '@nsbox/core/content'
import { errorCode } from '@nsbox/errors'
import { type Digest, digestHex, digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { openContentStore } from './open-content-store.ts'

const bytes = Buffer.from('the bytes that belong there')
const digest = digestOf(bytes)

const pathOf = (root: string, of: Digest) => join(root, 'blobs', 'sha256', digestHex(of))

async function readAll(store: ContentReader, of: Digest): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of store.read(of)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

for (const [what, damaged] of [
  ['of another size', Buffer.from('short')],
  ['without bytes', Buffer.alloc(0)],
  ['with the right size and wrong bytes', Buffer.from(bytes).fill('x', 3, 4)],
] as const) {
  test(`replaces a file ${what} that has a blob's name`, async () => {
    await using dir = await tempDir('nsbox-content')
    await using store = await openContentStore({ root: dir.path })
    await writeFile(pathOf(dir.path, digest), damaged)
    await using writer = await store.writer({ ref: 'again' })
    await writer.write(bytes)
    expect(await writer.commit({ labels: { a: '1' } })).toMatchObject({ digest, size: bytes.length })
    expect(await readAll(store, digest)).toEqual(bytes)
    expect({ ...(await store.info(digest)).labels }).toEqual({ a: '1' })
    expect(await store.statuses()).toEqual([])
  })
}

test('B03 opens an ingest for a digest whose file has another size than the total', async () => {
  await using dir = await tempDir('nsbox-content')
  await using store = await openContentStore({ root: dir.path })
  await writeFile(pathOf(dir.path, digest), 'short')
  const asked = { ref: 'again', expected: digest, total: bytes.length }
  {
    await using writer = await store.writer(asked)
    await writer.write(bytes)
    await writer.commit()
  }
  expect(await readAll(store, digest)).toEqual(bytes)
  expect(await store.writer(asked).catch(errorCode)).toBe('already_exists')
})

test('refuses bytes of an ingest that were changed behind its back', async () => {
  await using dir = await tempDir('nsbox-content')
  const files = join(dir.path, 'ingest')
  await using store = await openContentStore({ root: dir.path })
  {
    await using writer = await store.writer({ ref: 'layer' })
    await writer.write(bytes.subarray(0, 10))
  }
  const [name] = await readdir(files)
  const data = join(files, name!, 'data')
  await writeFile(data, (await readFile(data)).fill('x', 0, 1))
  await using writer = await store.writer({ ref: 'layer', expected: digest })
  await writer.write(bytes.subarray(10))
  expect(await writer.commit().catch(errorCode)).toBe('failed_precondition')
  expect(await store.info(digest).catch(errorCode)).toBe('not_found')
})

test('reports a blob that ends early instead of calling it complete', async () => {
  await using dir = await tempDir('nsbox-content')
  await using store = await openContentStore({ root: dir.path })
  const large = Buffer.alloc(1024 * 1024, 'x')
  {
    await using writer = await store.writer({ ref: 'large' })
    await writer.write(large)
    await writer.commit()
  }
  const read = async () => {
    for await (const _ of store.read(digestOf(large))) await truncate(pathOf(dir.path, digestOf(large)), 100)
  }
  expect(await read().catch(errorCode)).toBe('data_loss')
})

test('reports labels that cannot be read, and goes on with other blobs', async () => {
  await using dir = await tempDir('nsbox-content')
  await using store = await openContentStore({ root: dir.path })
  await using writer = await store.writer({ ref: 'blob' })
  await writer.write(bytes)
  await writer.commit({ labels: { a: '1' } })
  const time = '2026-11-24T17:00:00Z'
  const damages = [
    '',
    'null',
    '{}',
    '{"updatedAt":"never","labels":[]}',
    `{"updatedAt":"${time}","labels":[[1,2]]}`,
  ]
  for (const text of damages) {
    await writeFile(join(dir.path, 'labels', 'sha256', `${digestHex(digest)}.json`), text)
    expect(await store.info(digest).catch(errorCode)).toBe('data_loss')
  }
  await using later = await openContentStore({ root: dir.path })
  expect(await later.info(digest).catch(errorCode)).toBe('data_loss')
  expect(await later.writer({ ref: 'again', expected: digest }).catch(errorCode)).toBe('already_exists')
  await later.delete(digest)
  await using other = await later.writer({ ref: 'again', expected: digest })
  await other.write(bytes)
  expect({ ...(await other.commit()).labels }).toEqual({})
})
