import { errorCode } from '@nsbox/errors'
import { digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openContentStore } from './open-content-store.ts'

test('has one digest for the same bytes however they come', async () => {
  await using dir = await tempDir('nsbox-content')
  await using store = await openContentStore({ root: dir.path, durability: 'relaxed' })
  let run = 0
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    { weight: 2, arbitrary: fc.constant('reopen' as const) },
    { weight: 1, arbitrary: fc.constant('restart' as const) },
    { weight: 1, arbitrary: fc.constant('abort' as const) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const ref = `run-${run++}`
      let written: Uint8Array[] = []
      let writer = await store.writer({ ref })
      for (const what of steps) {
        if (what === 'restart') {
          await writer.restart()
          written = []
        } else if (what === 'reopen' || what === 'abort') {
          await writer[Symbol.asyncDispose]()
          if (what === 'abort') {
            await store.abort(ref)
            written = []
          }
          writer = await store.writer({ ref })
        } else {
          await writer.write(what)
          written.push(what)
        }
        expect(writer.status().offset).toBe(Buffer.concat(written).length)
      }
      const bytes = Buffer.concat(written)
      const { digest } = await writer.commit({ size: bytes.length })
      expect(digest).toBe(digestOf(bytes))
      const chunks: Uint8Array[] = []
      for await (const chunk of store.read(digest)) chunks.push(chunk)
      expect(Buffer.concat(chunks)).toEqual(bytes)
      await store.delete(digest)
    }),
    { numRuns: 60 },
  )
})

test('refuses a call while another one runs, and waits for that one when it is closed', async () => {
  await using dir = await tempDir('nsbox-content')
  await using store = await openContentStore({ root: dir.path })
  const writer = await store.writer({ ref: 'layer' })
  const bytes = Buffer.alloc(3 * 1024 * 1024, 'x')
  const writing = writer.write(bytes)
  expect(await writer.write(bytes).catch(errorCode)).toBe('failed_precondition')
  expect(await writer.commit().catch(errorCode)).toBe('failed_precondition')
  await writer[Symbol.asyncDispose]()
  await writing
  expect(await store.status('layer')).toMatchObject({ offset: bytes.length })
})

test('takes back the whole of a write that was stopped, and goes on', async () => {
  await using dir = await tempDir('nsbox-content')
  await using store = await openContentStore({ root: dir.path })
  await using writer = await store.writer({ ref: 'layer' })
  const first = Buffer.from('first')
  const large = Buffer.alloc(5 * 1024 * 1024, 'x')
  await writer.write(first)
  const controller = new AbortController()
  const writing = writer.write(large, { signal: controller.signal })
  controller.abort()
  expect(await writing.catch(errorCode)).toBe('canceled')
  expect(writer.status().offset).toBe(first.length)
  await writer.write(large)
  expect((await writer.commit()).digest).toBe(digestOf(Buffer.concat([first, large])))
})

test('B03 refuses totals and ranges that are no counts of bytes', async () => {
  await using dir = await tempDir('nsbox-content')
  await using store = await openContentStore({ root: dir.path })
  const read = async (range: { offset?: number; length?: number }) => {
    for await (const _ of store.read(digestOf('x'), range));
  }
  for (const count of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    expect(await store.writer({ ref: 'layer', total: count }).catch(errorCode)).toBe('invalid_argument')
    expect(await read({ offset: count }).catch(errorCode)).toBe('invalid_argument')
    expect(await read({ length: count }).catch(errorCode)).toBe('invalid_argument')
  }
  expect(await store.statuses()).toEqual([])
})

test('learns the total and the digest from a later opening if the first did not know them', async () => {
  await using dir = await tempDir('nsbox-content')
  const bytes = Buffer.from('bytes')
  const expected = digestOf(bytes, 'sha512')
  {
    await using store = await openContentStore({ root: dir.path })
    await (await store.writer({ ref: 'layer' }))[Symbol.asyncDispose]()
    await using writer = await store.writer({ ref: 'layer', total: 5, expected })
    expect(writer.status()).toMatchObject({ total: 5, expected })
    await writer.write(bytes.subarray(0, 2))
  }
  await using store = await openContentStore({ root: dir.path })
  expect(await store.status('layer')).toMatchObject({ offset: 2, total: 5, expected })
  await using writer = await store.writer({ ref: 'layer' })
  await writer.write(bytes.subarray(2))
  expect((await writer.commit()).digest).toBe(expected)
})

test('says which blob a commit has found', async () => {
  await using dir = await tempDir('nsbox-content')
  await using store = await openContentStore({ root: dir.path })
  const commit = async () => {
    await using writer = await store.writer({ ref: 'unexpected' })
    await writer.write(Buffer.from('bytes'))
    await writer.commit()
  }
  await commit()
  await expect(commit()).rejects.toMatchObject({
    code: 'already_exists',
    details: { digest: digestOf('bytes') },
  })
})
