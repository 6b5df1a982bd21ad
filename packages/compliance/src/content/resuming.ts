import type { ErrorCode } from '@nsbox/errors'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import { collect, interrupt, newBlob, sameBytes } from './blobs.ts'
import type { ContentStoreClaims } from './claims.ts'
import type { CreateContentStore } from './subject.ts'

export function resumingTests(create: CreateContentStore, claims: ContentStoreClaims): void {
  describe('resuming', () => {
    const test = subjectTest(create)

    test('goes on where an earlier writer was closed', async ({ store }) => {
      const blob = newBlob(100_000)
      await interrupt(store, 'layer', blob.bytes.subarray(0, 33_333))
      const { startedAt } = await store.status('layer')
      await using writer = await store.writer({ ref: 'layer', expected: blob.digest })
      expect(writer.status()).toMatchObject({ ref: 'layer', offset: 33_333 })
      expect(writer.status().startedAt).toEqual(startedAt)
      await writer.write(blob.bytes.subarray(33_333))
      expect((await writer.commit()).digest).toBe(blob.digest)
      expect(sameBytes(await collect(store.read(blob.digest)), blob.bytes)).toBe(true)
    })

    test('commits what an earlier writer has written in full', async ({ store }) => {
      const blob = newBlob(1000)
      await interrupt(store, 'layer', blob.bytes)
      await using writer = await store.writer({ ref: 'layer' })
      expect((await writer.commit({ size: 1000, expected: blob.digest })).digest).toBe(blob.digest)
    })

    test('starts again at the first byte on request', async ({ store }) => {
      const blob = newBlob(100)
      await using writer = await store.writer({ ref: 'layer' })
      await writer.restart()
      await writer.write(newBlob(500).bytes)
      await writer.restart()
      expect(writer.status().offset).toBe(0)
      await writer.write(blob.bytes)
      expect(await writer.commit({ size: 100 })).toMatchObject({ digest: blob.digest, size: 100 })
      expect(await collect(store.read(blob.digest))).toEqual(blob.bytes)
    })

    test('starts a resumed ingest again on request', async ({ store }) => {
      const blob = newBlob(100)
      await interrupt(store, 'layer', newBlob(500).bytes)
      {
        await using writer = await store.writer({ ref: 'layer' })
        await writer.restart()
      }
      expect(await store.status('layer')).toMatchObject({ offset: 0 })
      await using writer = await store.writer({ ref: 'layer' })
      await writer.write(blob.bytes)
      expect((await writer.commit()).digest).toBe(blob.digest)
    })

    test('lets one writer at a time have a ref', async ({ store }) => {
      const first = await store.writer({ ref: 'busy' })
      await first.write(new Uint8Array(7))
      await expectCode(store.writer({ ref: 'busy' }), 'unavailable')
      await using other = await store.writer({ ref: 'idle' })
      expect(other.status().offset).toBe(0)
      await first[Symbol.asyncDispose]()
      await using second = await store.writer({ ref: 'busy' })
      expect(second.status().offset).toBe(7)
    })

    test('lets one of many have a ref that is opened at once', async ({ store }) => {
      const writers = await Promise.allSettled([1, 2, 3, 4].map(() => store.writer({ ref: 'rush' })))
      const opened = writers.flatMap((writer) => (writer.status === 'fulfilled' ? [writer.value] : []))
      for (const writer of writers)
        if (writer.status === 'rejected') await expectCode(Promise.reject(writer.reason), 'unavailable')
      expect(opened).toHaveLength(1)
      await opened[0]?.[Symbol.asyncDispose]()
    })

    test('remembers the total of the first opening', async ({ store }) => {
      const first = await store.writer({ ref: 'sized', total: 12 })
      await first[Symbol.asyncDispose]()
      expect(await store.status('sized')).toMatchObject({ offset: 0, total: 12 })
      await using writer = await store.writer({ ref: 'sized', total: 12 })
      expect(writer.status()).toMatchObject({ offset: 0, total: 12 })
    })

    const { totalMismatch } = claims
    subjectTest(create, totalMismatch !== undefined)('refuses another total', async ({ store }) => {
      await using first = await store.writer({ ref: 'sized', total: 12 })
      await first[Symbol.asyncDispose]()
      await expectCode(store.writer({ ref: 'sized', total: 13 }), totalMismatch as ErrorCode)
      expect(await store.status('sized')).toMatchObject({ offset: 0, total: 12 })
    })

    subjectTest(create, claims.expectedInStatus)(
      'tells the digest that an ingest expects',
      async ({ store }) => {
        const { digest } = newBlob(10)
        await using writer = await store.writer({ ref: 'expecting', expected: digest })
        expect(writer.status().expected).toBe(digest)
        expect((await store.status('expecting')).expected).toBe(digest)
        await writer[Symbol.asyncDispose]()
        expect((await store.status('expecting')).expected).toBe(digest)
        expect((await store.statuses()).map((status) => status.expected)).toEqual([digest])
      },
    )
  })
}
