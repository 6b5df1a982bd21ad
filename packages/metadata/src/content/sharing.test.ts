import { join } from 'node:path'
import { type LocalContentStore, openContentStore } from '@nsbox/content'
import { type ContentStore, hasLocalPaths, readBlob } from '@nsbox/core/content'
import { errorCode } from '@nsbox/errors'
import { type Digest, digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { describe, expect, test } from 'vitest'
import { type Metadata, openMetadata } from '../open-metadata.ts'
import type { Policy } from './sharing.ts'

interface Subject extends AsyncDisposable {
  readonly metadata: Metadata
  readonly backend: LocalContentStore
  readonly content: (namespace: string, lease?: string) => ContentStore
}

async function setUp(policy: Policy = 'shared'): Promise<Subject> {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await tempDir('nsbox-sharing'))
  const backend = stack.use(await openContentStore({ root: join(path, 'content'), durability: 'relaxed' }))
  const metadata = stack.use(
    await openMetadata({
      path: join(path, 'metadata.db'),
      content: backend,
      policy,
      durability: 'relaxed',
      collector: { startupDelay: 3_600_000, scheduleDelay: 3_600_000 },
    }),
  )
  const owned = stack.move()
  return {
    metadata,
    backend,
    content: (namespace, lease) => metadata.namespace(namespace, { lease }).content,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const bytes = Buffer.from('the bytes of a blob')
const digest = digestOf(bytes)
const size = bytes.length

async function put(store: ContentStore, data: Uint8Array = bytes, expected?: Digest): Promise<void> {
  await using writer = await store.writer({ ref: 'put', expected })
  await writer.write(data)
  await writer.commit()
}

const text = async (store: ContentStore, of = digest, limit = size) =>
  Buffer.from(await readBlob(store, { digest: of, size: limit }, { limit })).toString()

async function blobs(store: ContentStore): Promise<string[]> {
  const digests: string[] = []
  for await (const info of store.list()) digests.push(info.digest)
  return digests
}

describe('a blob that another namespace has, under the shared policy', () => {
  test('needs no bytes, and keeps labels of its own', async () => {
    await using subject = await setUp()
    const [a, b] = [subject.content('a'), subject.content('b')]
    await put(a)
    await a.update(digest, { replace: { of: 'a' } })
    await using writer = await b.writer({ ref: 'again', expected: digest })
    expect(writer.status()).toMatchObject({ ref: 'again', offset: size, total: size, expected: digest })
    expect(await b.status('again')).toMatchObject({ ref: 'again', offset: size, total: size })
    expect(await b.statuses()).toHaveLength(1)
    expect(await b.info(digest).catch(errorCode)).toBe('not_found')
    const info = await writer.commit({ size, expected: digest, labels: { of: 'b' } })
    expect({ ...info.labels }).toEqual({ of: 'b' })
    expect({ ...(await a.info(digest)).labels }).toEqual({ of: 'a' })
    expect(await text(b)).toBe(bytes.toString())
    expect(await b.statuses()).toEqual([])
    expect(await subject.backend.statuses()).toEqual([])
  })

  test('is not shared if it is said to have another size', async () => {
    await using subject = await setUp()
    await put(subject.content('a'))
    await using writer = await subject.content('b').writer({ ref: 'x', expected: digest, total: size + 1 })
    expect(writer.status().offset).toBe(0)
  })

  test('is checked at commit like any other', async () => {
    await using subject = await setUp()
    const b = subject.content('b')
    await put(subject.content('a'))
    for (const options of [{ size: size + 1 }, { expected: digestOf('other') }]) {
      await using writer = await b.writer({ ref: 'x', expected: digest })
      expect(await writer.commit(options).catch(errorCode)).toBe('failed_precondition')
      expect(await writer.commit().catch(errorCode)).toBe('failed_precondition')
    }
    await using writer = await b.writer({ ref: 'x', expected: digest, total: size })
    await writer.commit()
  })

  test('becomes a copy when it is written to', async () => {
    await using subject = await setUp()
    const [a, b] = [subject.content('a'), subject.content('b')]
    await put(a)
    const longer = Buffer.concat([bytes, Buffer.from(' and more')])
    await using writer = await b.writer({ ref: 'x', expected: digest, total: size })
    await writer.write(new Uint8Array(0))
    expect(await subject.backend.statuses()).toEqual([])
    await writer.write(longer.subarray(size))
    expect(writer.status()).toMatchObject({ ref: 'x', offset: longer.length, expected: undefined })
    expect(await b.status('x')).toMatchObject({ offset: longer.length, expected: undefined })
    await writer.commit({ size: longer.length, expected: digestOf(longer) })
    expect(await text(b, digestOf(longer), longer.length)).toBe(longer.toString())
    expect(await text(a)).toBe(bytes.toString())
    expect(await b.info(digest).catch(errorCode)).toBe('not_found')
  })

  test('is checked by what the commit says once it has been written to', async () => {
    await using subject = await setUp()
    const b = subject.content('b')
    await put(subject.content('a'))
    await using writer = await b.writer({ ref: 'x', expected: digest })
    await writer.write(Buffer.from('more'))
    expect(await writer.commit({ expected: digest }).catch(errorCode)).toBe('failed_precondition')
    await using next = await b.writer({ ref: 'x' })
    expect(next.status().offset).toBe(size + 4)
    await next.commit()
    expect(await b.info(digest).catch(errorCode)).toBe('not_found')
  })

  test('can be written again from its first byte', async () => {
    await using subject = await setUp()
    const b = subject.content('b')
    await put(subject.content('a'))
    await using writer = await b.writer({ ref: 'x', expected: digest })
    await writer.restart()
    expect(writer.status()).toMatchObject({ ref: 'x', offset: 0 })
    await writer.write(bytes)
    await writer.commit({ size, expected: digest })
    expect(await text(b)).toBe(bytes.toString())
  })

  test('has the path of the one file that there is, in each namespace that has it', async () => {
    await using subject = await setUp()
    const [a, b] = [subject.content('a'), subject.content('b')]
    if (!hasLocalPaths(a) || !hasLocalPaths(b)) return expect.fail('no local paths')
    {
      await using writer = await b.writer({ ref: 'x' })
      await writer.write(bytes.subarray(0, 3))
    }
    await put(a)
    await using writer = await b.writer({ ref: 'x', expected: digest })
    // The earlier bytes are not those of the shared blob.
    expect(await b.ingestPath('x').catch(errorCode)).toBe('not_found')
    expect(await b.blobPath(digest).catch(errorCode)).toBe('not_found')
    expect(await a.ingestPath('x').catch(errorCode)).toBe('not_found')
    await writer.commit()
    expect(await b.blobPath(digest)).toBe(await subject.backend.blobPath(digest))
    expect(await a.blobPath(digest)).toBe(await b.blobPath(digest))
  })

  test('is kept for an ingest that stands for it, also when its namespace deletes it', async () => {
    await using subject = await setUp()
    const [a, b] = [subject.content('a'), subject.content('b')]
    await put(a)
    await using writer = await b.writer({ ref: 'x', expected: digest })
    await a.delete(digest)
    await subject.metadata.collect()
    expect(await blobs(subject.backend)).toEqual([digest])
    await writer.commit()
    expect(await text(b)).toBe(bytes.toString())
  })

  test('is kept for an ingest without a writer, until the ingest is aborted', async () => {
    await using subject = await setUp()
    const [a, b] = [subject.content('a'), subject.content('b')]
    await put(a)
    await (await b.writer({ ref: 'x', expected: digest }))[Symbol.asyncDispose]()
    await a.delete(digest)
    await subject.metadata.collect()
    expect(await blobs(subject.backend)).toEqual([digest])
    await b.abort('x')
    expect(await blobs(subject.backend)).toEqual([])
  })

  test('goes when the last namespace that has it deletes it', async () => {
    await using subject = await setUp()
    const [a, b] = [subject.content('a', 'l'), subject.content('b', 'l')]
    for (const name of ['a', 'b']) await subject.metadata.namespace(name).leases.create({ id: 'l' })
    await put(a)
    await (await b.writer({ ref: 'x', expected: digest })).commit()
    await a.delete(digest)
    await subject.metadata.collect()
    expect(await text(b)).toBe(bytes.toString())
    await b.delete(digest)
    await subject.metadata.collect()
    expect(await blobs(subject.backend)).toEqual([])
  })

  test('takes the place of what an interrupted ingest has', async () => {
    await using subject = await setUp()
    const [a, b] = [subject.content('a'), subject.content('b')]
    {
      await using writer = await b.writer({ ref: 'x' })
      await writer.write(bytes.subarray(0, 3))
    }
    await put(a)
    await using writer = await b.writer({ ref: 'x', expected: digest })
    expect(writer.status().offset).toBe(size)
    await writer.commit()
    await subject.metadata.collect()
    expect(await subject.backend.statuses()).toEqual([])
  })
})

describe('a blob that the backend alone has', () => {
  test('is adopted instead of sent again, as after a crash between file and row', async () => {
    await using subject = await setUp()
    await put(subject.backend)
    const a = subject.content('a')
    await using writer = await a.writer({ ref: 'x', expected: digest })
    expect(writer.status().offset).toBe(size)
    await writer.commit()
    expect(await text(a)).toBe(bytes.toString())
  })
})

describe('under the isolated policy', () => {
  test('each namespace brings its own bytes, which are stored once', async () => {
    await using subject = await setUp('isolated')
    const [a, b] = [subject.content('a'), subject.content('b')]
    await put(a)
    await using writer = await b.writer({ ref: 'x', expected: digest, total: size })
    expect(writer.status()).toMatchObject({ offset: 0, expected: digest })
    await writer.write(bytes)
    await writer.commit({ labels: { of: 'b' } })
    expect(await text(b)).toBe(bytes.toString())
    expect(await blobs(subject.backend)).toEqual([digest])
  })

  test('a namespace that has only the digest gets nothing', async () => {
    await using subject = await setUp('isolated')
    const b = subject.content('b')
    await put(subject.content('a'))
    for (const [forged, options] of [
      [Buffer.from(bytes.toString().toUpperCase()), { expected: digest }],
      [Buffer.from(bytes.toString().toUpperCase()), {}],
      [new Uint8Array(0), { expected: digest, size: 0 }],
      [bytes.subarray(1), {}],
    ] as const) {
      await using writer = await b.writer({ ref: 'forged', expected: digest })
      await writer.restart()
      await writer.write(forged)
      expect(await writer.commit(options).catch(errorCode)).toBe('failed_precondition')
    }
    expect(await blobs(b)).toEqual([])
  })

  test('takes sha512 for a blob that another namespace has', async () => {
    await using subject = await setUp('isolated')
    const long = digestOf(bytes, 'sha512')
    await put(subject.content('a'), bytes, long)
    await put(subject.content('b'), bytes, long)
    expect(await blobs(subject.content('b'))).toEqual([long])
  })

  test('a namespace labelled shareable gives its blobs away, and only with exactly that label', async () => {
    await using subject = await setUp('isolated')
    const label = 'containerd.io/namespace.shareable'
    await put(subject.content('a'))
    const offset = async (ref: string) => {
      await using writer = await subject.content('b').writer({ ref, expected: digest })
      return writer.status().offset
    }
    for (const value of ['false', 'TRUE', '1']) {
      await subject.metadata.namespaces.update('a', { replace: { [label]: value } })
      expect(await offset(value)).toBe(0)
    }
    await subject.metadata.namespaces.update('a', { replace: { [label]: 'true' } })
    expect(await offset('true')).toBe(size)
  })
})

describe('of namespaces of which some are sealed', () => {
  const label = 'containerd.io/namespace.shareable'
  const sealed = (namespace: string) => (namespace.startsWith('tenant') ? 'sealed' : 'shared')
  const offset = async (store: ContentStore) => {
    await using writer = await store.writer({ ref: 'probe', expected: digest })
    return writer.status().offset
  }

  test('F02 a sealed one brings its own bytes, whatever others have and offer', async () => {
    await using subject = await setUp(sealed)
    await put(subject.content('host'))
    await subject.metadata.namespaces.update('host', { replace: { [label]: 'true' } })
    await put(subject.content('tenant-a'))
    await subject.metadata.namespaces.update('tenant-a', { replace: { [label]: 'true' } })
    expect(await offset(subject.content('tenant-b'))).toBe(0)
    expect(await offset(subject.content('other'))).toBe(size)
  })

  test('F02 what only sealed ones have, or had, is nobody else’s', async () => {
    for (const policy of [
      sealed,
      (name: string) => (name.startsWith('tenant') ? 'sealed' : 'isolated'),
    ] as const) {
      await using subject = await setUp(policy)
      const tenant = subject.content('tenant-a')
      await put(tenant)
      await subject.metadata.namespaces.update('tenant-a', { replace: { [label]: 'true' } })
      expect(await offset(subject.content('host'))).toBe(0)
      await tenant.delete(digest)
      expect(await blobs(subject.backend)).toEqual([digest])
      expect(await offset(subject.content('host'))).toBe(0)
    }
  })

  test('F02 one that becomes sealed is so at once', async () => {
    const seals = new Set<string>()
    await using subject = await setUp((namespace) => (seals.has(namespace) ? 'sealed' : 'shared'))
    await put(subject.content('a'))
    expect(await offset(subject.content('b'))).toBe(size)
    seals.add('a')
    expect(await offset(subject.content('c'))).toBe(0)
  })
})

test('a commit without an expected digest finds the blob that the backend has', async () => {
  await using subject = await setUp()
  await put(subject.content('a'))
  await put(subject.content('b'))
  expect(await blobs(subject.content('b'))).toEqual([digest])
})

test('the backend’s ref names the namespace, a number of its own and the ref', async () => {
  await using subject = await setUp()
  await using _a = await subject.content('a').writer({ ref: 'layer-x' })
  await using _b = await subject.content('b').writer({ ref: 'layer-x' })
  const refs = (await subject.backend.statuses()).map(({ ref }) => ref)
  expect(refs).toEqual(['a/1/layer-x', 'b/2/layer-x'])
})

test('a writer whose namespace is deleted meanwhile cannot commit, and leaves nothing', async () => {
  await using subject = await setUp()
  const a = subject.content('a')
  {
    await using writer = await a.writer({ ref: 'x' })
    await writer.write(bytes)
    await subject.metadata.namespaces.delete('a')
    expect(await writer.commit().catch(errorCode)).toBe('not_found')
  }
  await subject.metadata.collect()
  expect(await subject.backend.statuses()).toEqual([])
  expect(await blobs(subject.backend)).toEqual([])
  expect(await subject.metadata.namespaces.list()).toEqual([])
})
