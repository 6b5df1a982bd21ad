import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import { type Blob, collect, items, newBlob, put, sameBytes } from './blobs.ts'
import type { ContentStoreClaims } from './claims.ts'
import type { CreateContentStore } from './subject.ts'

export function writingTests(create: CreateContentStore, claims: ContentStoreClaims): void {
  describe('writing', () => {
    const test = subjectTest(create)

    test('reads back what was written and committed', async ({ store }) => {
      const blob = newBlob(1000)
      const before = Date.now()
      await using writer = await store.writer({ ref: 'one' })
      await writer.write(blob.bytes)
      const committed = await writer.commit()
      expect(committed).toMatchObject({ digest: blob.digest, size: 1000 })
      expect({ ...committed.labels }).toEqual({})
      // File systems may stamp with a clock that lags a few milliseconds behind.
      expect(committed.createdAt.epochMilliseconds).toBeGreaterThan(before - 1000)
      expect(committed.createdAt.epochMilliseconds).toBeLessThan(Date.now() + 1000)
      expect(committed.updatedAt.epochMicroseconds).toBeGreaterThanOrEqual(
        committed.createdAt.epochMicroseconds,
      )

      const info = await store.info(blob.digest)
      expect({ ...info, labels: { ...info.labels } }).toEqual({ ...committed, labels: {} })
      expect(await collect(store.read(blob.digest))).toEqual(blob.bytes)
    })

    test('shows nothing of a blob before its commit', async ({ store }) => {
      const blob = newBlob(1000)
      await using writer = await store.writer({ ref: 'one', expected: blob.digest })
      await writer.write(blob.bytes)
      await expectCode(store.info(blob.digest), 'not_found')
      await expectCode(collect(store.read(blob.digest)), 'not_found')
      expect(await items(store.list())).toEqual([])
      await writer.commit()
      expect((await items(store.list())).map((info) => info.digest)).toEqual([blob.digest])
    })

    test('joins writes of any size', async ({ store }) => {
      const blob = newBlob(300_000)
      await using writer = await store.writer({ ref: 'pieces' })
      let offset = 0
      for (const size of [1, 0, 32_768, 7, 200_000, 67_224]) {
        await writer.write(blob.bytes.subarray(offset, offset + size))
        offset += size
        expect(writer.status().offset).toBe(offset)
      }
      expect((await writer.commit({ size: 300_000 })).digest).toBe(blob.digest)
      expect(sameBytes(await collect(store.read(blob.digest)), blob.bytes)).toBe(true)
    })

    test('lets the caller use its bytes again after a write', async ({ store }) => {
      const blob = newBlob(100_000)
      const piece = new Uint8Array(10_000)
      await using writer = await store.writer({ ref: 'reused' })
      for (let offset = 0; offset < 100_000; offset += 10_000) {
        piece.set(blob.bytes.subarray(offset, offset + 10_000))
        await writer.write(piece)
        piece.fill(0)
      }
      expect((await writer.commit()).digest).toBe(blob.digest)
      expect(sameBytes(await collect(store.read(blob.digest)), blob.bytes)).toBe(true)
    })

    test('takes a blob without bytes', async ({ store }) => {
      const empty: Blob = newBlob(0)
      await using writer = await store.writer({ ref: 'empty', expected: empty.digest })
      expect(await writer.commit({ size: 0 })).toMatchObject({ digest: empty.digest, size: 0 })
      expect(await collect(store.read(empty.digest))).toEqual(empty.bytes)
    })

    test('takes more in one write than fits in one message of the wire', async ({ store }) => {
      const blob = newBlob(17 * 1024 * 1024 + 1)
      const info = await put(store, blob, { size: blob.bytes.length })
      expect(info).toMatchObject({ digest: blob.digest, size: blob.bytes.length })
      expect(sameBytes(await collect(store.read(blob.digest)), blob.bytes)).toBe(true)
    })

    test('adds labels at commit', async ({ store }) => {
      const labels = { 'containerd.io/uncompressed': 'sha256:x', 'a.b.c/d': 'ä = "1"', constructor: 'x' }
      const blob = newBlob(10)
      expect({ ...(await put(store, blob, { labels })).labels }).toEqual(labels)
      expect({ ...(await store.info(blob.digest)).labels }).toEqual(labels)
    })

    test('tells how far it is', async ({ store }) => {
      await using writer = await store.writer({ ref: 'status', total: 20 })
      expect(writer.ref).toBe('status')
      const first = writer.status()
      expect(first).toMatchObject({ ref: 'status', offset: 0, total: 20 })
      expect(first.updatedAt.epochMicroseconds).toBeGreaterThanOrEqual(first.startedAt.epochMicroseconds)
      await writer.write(new Uint8Array(5))
      expect(writer.status()).toMatchObject({ ref: 'status', offset: 5, total: 20 })
      expect(await store.status('status')).toMatchObject({ ref: 'status', offset: 5, total: 20 })
      expect(writer.status().startedAt).toEqual(first.startedAt)
    })

    test('refuses a writer that was closed', async ({ store }) => {
      const writer = await store.writer({ ref: 'closed' })
      await writer.write(new Uint8Array(3))
      await writer[Symbol.asyncDispose]()
      await writer[Symbol.asyncDispose]()
      await expectCode(writer.write(new Uint8Array(1)), 'failed_precondition')
      await expectCode(writer.restart(), 'failed_precondition')
      await expectCode(writer.commit(), 'failed_precondition')
      expect(await store.status('closed')).toMatchObject({ offset: 3 })
    })

    test('refuses a writer that has committed', async ({ store }) => {
      await using writer = await store.writer({ ref: 'committed' })
      await writer.write(newBlob(3).bytes)
      await writer.commit()
      await expectCode(writer.write(new Uint8Array(1)), 'failed_precondition')
      await expectCode(writer.restart(), 'failed_precondition')
      await expectCode(writer.commit(), 'failed_precondition')
    })

    subjectTest(create, claims.sha512)('takes a blob with a sha512 digest', async ({ store }) => {
      const blob = newBlob(5000, 'sha512')
      expect(await put(store, blob)).toMatchObject({ digest: blob.digest, size: 5000 })
      expect(await collect(store.read(blob.digest))).toEqual(blob.bytes)
      expect(await store.info(blob.digest)).toMatchObject({ digest: blob.digest })
      expect((await items(store.list())).map((info) => info.digest)).toEqual([blob.digest])
    })

    subjectTest(create, claims.sha512)(
      'takes a sha512 digest that only the commit names',
      async ({ store }) => {
        const blob = newBlob(5000, 'sha512')
        await using writer = await store.writer({ ref: 'late' })
        await writer.write(blob.bytes)
        expect((await writer.commit({ expected: blob.digest })).digest).toBe(blob.digest)
        expect(await collect(store.read(blob.digest))).toEqual(blob.bytes)
      },
    )
  })
}
