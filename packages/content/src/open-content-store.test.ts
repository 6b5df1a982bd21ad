import { chmod, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { digestHex, digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { ingestName } from './layout.ts'
import type { LocalContentStore } from './local-content-store.ts'
import { openContentStore } from './open-content-store.ts'

const bytes = Buffer.from('bytes of a blob')
const digest = digestOf(bytes)

async function put(store: LocalContentStore, labels = {}): Promise<void> {
  await using writer = await store.writer({ ref: 'blob' })
  await writer.write(bytes)
  await writer.commit({ labels })
}

test('makes a directory, with those above it, that only its owner can enter', async () => {
  await using dir = await tempDir('nsbox-content')
  const root = join(dir.path, 'a', 'b')
  const umask = process.umask(0)
  try {
    await using store = await openContentStore({ root })
    await put(store, { a: '1' })
    await using _ = await store.writer({ ref: 'open', total: 5, expected: digestOf('other') })
    for (const entry of await readdir(dir.path, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      expect([path, (await stat(path)).mode & 0o777]).toEqual([path, entry.isFile() ? 0o600 : 0o700])
    }
  } finally {
    process.umask(umask)
  }
})

test('shuts others out of a directory that was open to them', async () => {
  await using dir = await tempDir('nsbox-content')
  await chmod(dir.path, 0o755)
  await using _ = await openContentStore({ root: dir.path })
  expect((await stat(dir.path)).mode & 0o777).toBe(0o700)
})

test('cannot open where there is a file', async () => {
  await using dir = await tempDir('nsbox-content')
  await writeFile(join(dir.path, 'blobs'), '')
  await expect(openContentStore({ root: dir.path })).rejects.toThrow('opening content store')
})

test.runIf(process.platform === 'linux')('cannot open where no directory can be made', async () => {
  await expect(openContentStore({ root: '/proc/nsbox/a' })).rejects.toMatchObject({ code: 'not_found' })
})

test('has blobs, labels and ingests again when it is opened again', async () => {
  await using dir = await tempDir('nsbox-content')
  const ref = { ref: 'layer', total: 100, expected: digestOf('layer') }
  {
    await using store = await openContentStore({ root: dir.path })
    await put(store, { a: '1', constructor: '2', ...JSON.parse('{ "__proto__": "3" }') })
    await using writer = await store.writer(ref)
    await writer.write(bytes)
  }
  await using store = await openContentStore({ root: dir.path })
  const { size, labels } = await store.info(digest)
  expect(size).toBe(bytes.length)
  expect(Object.entries(labels)).toEqual([
    ['a', '1'],
    ['constructor', '2'],
    ['__proto__', '3'],
  ])
  const { total, expected } = ref
  expect(await store.status('layer')).toMatchObject({ ref: 'layer', offset: bytes.length, total, expected })
})

async function change(directory: string, what: Record<string, unknown>): Promise<void> {
  const path = join(directory, 'about.json')
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...what }))
}

test('removes what is not an ingest, or not any more', async () => {
  await using dir = await tempDir('nsbox-content')
  const damage: Record<string, (directory: string) => Promise<unknown>> = {
    'without a name': (directory) => change(directory, { ref: undefined }),
    'with the name of another': (directory) => change(directory, { ref: 'intact' }),
    'without data': (directory) => rm(join(directory, 'data')),
    'of which nothing is known': (directory) => rm(join(directory, 'about.json')),
    'of a program that had a file for each field': async (directory) => {
      await rm(join(directory, 'about.json'))
      await writeFile(join(directory, 'ref'), 'of a program that had a file for each field')
      await writeFile(join(directory, 'startedat'), '2026-11-24T12:00:00.000Z')
    },
    'of which nothing was written down': (directory) => writeFile(join(directory, 'about.json'), ''),
    'of which a part was written down': (directory) => truncate(join(directory, 'about.json'), 30),
    'that is null': (directory) => writeFile(join(directory, 'about.json'), 'null'),
    'without a start': (directory) => change(directory, { startedAt: undefined }),
    'with a total that is no number': (directory) => change(directory, { total: 'x' }),
    'with a malformed digest': (directory) => change(directory, { expected: 'sha256:..' }),
    'that is a file': async (directory) => {
      await rm(directory, { recursive: true })
      await writeFile(directory, '')
    },
    'that is empty': async (directory) => {
      await rm(directory, { recursive: true })
      await mkdir(directory)
    },
  }
  {
    await using store = await openContentStore({ root: dir.path })
    for (const ref of ['intact', ...Object.keys(damage)]) {
      await using writer = await store.writer({ ref, total: 100 })
      await writer.write(bytes)
    }
    for (const [ref, body] of Object.entries(damage)) await body(join(dir.path, 'ingest', ingestName(ref)))

    expect((await store.statuses()).map((status) => status.ref)).toEqual(['intact'])
    for (const ref of Object.keys(damage)) {
      expect(await store.status(ref).catch(errorCode)).toBe('not_found')
      expect(await store.abort(ref).catch(errorCode)).toBe('not_found')
    }
    await using writer = await store.writer({ ref: 'without data' })
    expect(writer.status()).toMatchObject({ offset: 0, total: 0 })
  }
  await using store = await openContentStore({ root: dir.path })
  expect((await store.statuses()).map((status) => status.ref)).toEqual(['intact', 'without data'])
  const names = ['intact', 'without data'].map(ingestName).sort()
  expect((await readdir(join(dir.path, 'ingest'))).sort()).toEqual(names)
})

test('goes on with an ingest whose times are in milliseconds, as they were at first', async () => {
  await using dir = await tempDir('nsbox-content')
  {
    await using store = await openContentStore({ root: dir.path })
    await using writer = await store.writer({ ref: 'first', total: 100 })
    await writer.write(bytes)
  }
  const first = { ref: 'first', startedAt: 1_764_036_430_123, updatedAt: 1_764_036_430_456, total: 100 }
  await writeFile(join(dir.path, 'ingest', ingestName('first'), 'about.json'), JSON.stringify(first))
  await using store = await openContentStore({ root: dir.path })
  const { startedAt, ...status } = await store.status('first')
  expect(status).toMatchObject({ ref: 'first', offset: bytes.length, total: 100 })
  expect(String(startedAt)).toBe('2025-11-25T02:07:10.123Z')
  await using writer = await store.writer({ ref: 'first' })
  expect(writer.status()).toMatchObject({ offset: bytes.length })
})

test('takes an ingest whose last update was not noted', async () => {
  await using dir = await tempDir('nsbox-content')
  const at = Date.now()
  {
    await using store = await openContentStore({ root: dir.path })
    await using writer = await store.writer({ ref: 'killed' })
    await writer.write(bytes)
  }
  await change(join(dir.path, 'ingest', ingestName('killed')), { updatedAt: 0 })
  await using store = await openContentStore({ root: dir.path })
  const { offset, updatedAt } = await store.status('killed')
  expect(offset).toBe(bytes.length)
  expect(Math.abs(updatedAt.epochMilliseconds - at)).toBeLessThan(10_000)
})

test('removes labels without a blob and files that were not finished', async () => {
  await using dir = await tempDir('nsbox-content')
  const labels = join(dir.path, 'labels', 'sha256')
  {
    await using store = await openContentStore({ root: dir.path })
    await put(store, { a: '1' })
  }
  const kept = `${digestHex(digest)}.json`
  await writeFile(join(labels, `${kept}.tmp`), '')
  await writeFile(join(labels, `${digestHex(digestOf('no blob'))}.json`), '{}')
  await using _ = await openContentStore({ root: dir.path })
  expect(await readdir(labels)).toEqual([kept])
})

test('passes over what is not named like a blob', async () => {
  await using dir = await tempDir('nsbox-content')
  await using store = await openContentStore({ root: dir.path })
  await put(store)
  await writeFile(join(dir.path, 'blobs', 'sha256', 'README'), '')
  await mkdir(join(dir.path, 'blobs', 'sha256', digestHex(digestOf('a directory'))))
  const digests: string[] = []
  for await (const info of store.list()) digests.push(info.digest)
  expect(digests).toEqual([digest])
  expect(await store.info(digestOf('a directory')).catch(errorCode)).toBe('not_found')
})

test('closes its writers and opens no others when it is disposed of', async () => {
  await using dir = await tempDir('nsbox-content')
  const store = await openContentStore({ root: dir.path })
  const writer = await store.writer({ ref: 'layer' })
  await writer.write(bytes)
  const opening = store.writer({ ref: 'opening' })
  await store[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
  expect(await writer.write(bytes).catch(errorCode)).toBe('failed_precondition')
  expect(await (await opening).write(bytes).catch(errorCode)).toBe('failed_precondition')
  expect(await store.writer({ ref: 'layer' }).catch(errorCode)).toBe('failed_precondition')
  await using next = await openContentStore({ root: dir.path })
  expect(await next.status('layer')).toMatchObject({ offset: bytes.length })
})
