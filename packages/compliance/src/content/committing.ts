import type { CommitOptions, ContentStore, IngestOptions } from '@nsbox/core/content'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import { type Blob, collect, interrupt, items, newBlob, put } from './blobs.ts'
import type { ContentStoreClaims } from './claims.ts'
import type { CreateContentStore } from './subject.ts'

/** Checks that a commit fails, and that the ingest can still become the blob afterwards. */
async function expectRefusal(
  store: ContentStore,
  blob: Blob,
  { open, commit }: { open?: Omit<IngestOptions, 'ref'>; commit?: CommitOptions },
): Promise<void> {
  await using writer = await store.writer({ ref: 'checked', ...open })
  await writer.write(blob.bytes)
  await expectCode(writer.commit(commit), 'failed_precondition')
  await expectCode(writer.write(new Uint8Array(1)), 'failed_precondition')
  expect(await items(store.list())).toEqual([])
  expect(await store.status('checked')).toMatchObject({ offset: blob.bytes.length })
}

export function committingTests(create: CreateContentStore, claims: ContentStoreClaims): void {
  describe('committing', () => {
    const test = subjectTest(create)

    for (const size of [99, 101, 0]) {
      test(`B03 refuses 100 bytes where ${size} are expected and keeps the ingest`, async ({ store }) => {
        const blob = newBlob(100)
        await expectRefusal(store, blob, { commit: { size } })
        await using writer = await store.writer({ ref: 'checked' })
        expect((await writer.commit({ size: 100 })).digest).toBe(blob.digest)
      })
    }

    test('refuses bytes of another digest than the commit expects and keeps the ingest', async ({
      store,
    }) => {
      const blob = newBlob(100)
      await expectRefusal(store, blob, { commit: { expected: newBlob(100).digest } })
      await using writer = await store.writer({ ref: 'checked' })
      expect((await writer.commit({ expected: blob.digest })).digest).toBe(blob.digest)
    })

    test('refuses bytes of another digest than the opening expects and keeps the ingest', async ({
      store,
    }) => {
      await expectRefusal(store, newBlob(100), { open: { expected: newBlob(100).digest } })
    })

    test('B03 refuses fewer bytes than the total and keeps the ingest', async ({ store }) => {
      const blob = newBlob(100)
      await expectRefusal(store, blob, { open: { total: 101 } })
      await using writer = await store.writer({ ref: 'checked', total: 101 })
      await writer.write(new Uint8Array(1))
      expect((await writer.commit()).size).toBe(101)
    })

    test('B03 refuses more bytes than the total', async ({ store }) => {
      await using writer = await store.writer({ ref: 'endless', total: 100 })
      const overfull = async () => {
        await writer.write(newBlob(101).bytes)
        await writer.commit()
      }
      await expectCode(overfull(), 'failed_precondition')
      expect(await items(store.list())).toEqual([])
    })

    test('ends the ingest', async ({ store }) => {
      const blob = newBlob(100)
      await using writer = await store.writer({ ref: 'once' })
      await writer.write(blob.bytes)
      await writer.commit()
      await expectCode(store.status('once'), 'not_found')
      expect(await store.statuses()).toEqual([])
      await using next = await store.writer({ ref: 'once' })
      expect(next.status().offset).toBe(0)
    })

    test('leaves a blob that exists as it is and ends the ingest', async ({ store }) => {
      const blob = newBlob(100)
      const first = await put(store, blob, { labels: { a: '1' } })
      await using writer = await store.writer({ ref: 'again' })
      await writer.write(blob.bytes)
      await expectCode(writer.commit({ labels: { b: '2' } }), 'already_exists')
      await expectCode(store.status('again'), 'not_found')
      const info = await store.info(blob.digest)
      expect({ ...info, labels: { ...info.labels } }).toEqual({ ...first, labels: { a: '1' } })
      expect(await collect(store.read(blob.digest))).toEqual(blob.bytes)
    })

    test('opens no ingest for a blob that exists', async ({ store }) => {
      const blob = newBlob(100)
      await put(store, blob)
      await expectCode(store.writer({ ref: 'needless', expected: blob.digest, total: 100 }), 'already_exists')
      await expectCode(store.writer({ ref: 'needless', expected: blob.digest }), 'already_exists')
      await expectCode(store.status('needless'), 'not_found')
      await using writer = await store.writer({ ref: 'needless' })
      expect(writer.status().offset).toBe(0)
    })

    test('takes labels that are exactly as long as allowed', async ({ store }) => {
      const labels = { key: 'v'.repeat(4093) }
      expect({ ...(await put(store, newBlob(10), { labels })).labels }).toEqual(labels)
    })

    test('D05 refuses labels that are too long and publishes nothing', async ({ store }) => {
      const blob = newBlob(10)
      await interrupt(store, 'labelled', blob.bytes)
      await using writer = await store.writer({ ref: 'labelled' })
      await expectCode(writer.commit({ labels: { key: 'v'.repeat(4094) } }), 'invalid_argument')
      await expectCode(store.info(blob.digest), 'not_found')
      expect(await store.status('labelled')).toMatchObject({ offset: 10 })
    })

    subjectTest(create, claims.labelCountLimit)('D05 refuses more labels than allowed', async ({ store }) => {
      const labels = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`label-${index}`, 'x']))
      const blob = newBlob(10)
      await using writer = await store.writer({ ref: 'labelled' })
      await writer.write(blob.bytes)
      await expectCode(writer.commit({ labels }), 'invalid_argument')
      await expectCode(store.info(blob.digest), 'not_found')
    })

    test('publishes once what two writers commit at the same time', async ({ store }) => {
      const blob = newBlob(200_000)
      await using left = await store.writer({ ref: 'left', expected: blob.digest })
      await using right = await store.writer({ ref: 'right', expected: blob.digest })
      await Promise.all([left.write(blob.bytes), right.write(blob.bytes)])
      const outcomes = await Promise.allSettled([left.commit(), right.commit()])
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
      expect(refused).toHaveLength(1)
      for (const { reason } of refused) await expectCode(Promise.reject(reason), 'already_exists')
      expect(await store.statuses()).toEqual([])
      expect((await items(store.list())).map((info) => info.digest)).toEqual([blob.digest])
    })

    test('publishes what many writers commit at the same time', async ({ store }) => {
      const blobs = Array.from({ length: 12 }, (_, index) => newBlob(10_000 + index))
      const infos = await Promise.all(blobs.map((blob) => put(store, blob)))
      expect(infos.map((info) => info.digest)).toEqual(blobs.map((blob) => blob.digest))
      expect((await items(store.list())).map((info) => info.digest)).toEqual(
        blobs.map((blob) => blob.digest).sort(),
      )
      for (const blob of blobs) expect(await collect(store.read(blob.digest))).toEqual(blob.bytes)
    })
  })
}
