import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import { interrupt, newBlob } from './blobs.ts'
import type { ContentStoreClaims } from './claims.ts'
import type { CreateContentStore } from './subject.ts'

export function ingestTests(create: CreateContentStore, claims: ContentStoreClaims): void {
  describe('ingests', () => {
    const test = subjectTest(create)

    test('have a status while a writer is open and after it is closed', async ({ store }) => {
      await expectCode(store.status('layer'), 'not_found')
      const writer = await store.writer({ ref: 'layer', total: 100 })
      await writer.write(new Uint8Array(40))
      const open = await store.status('layer')
      expect(open).toMatchObject({ ref: 'layer', offset: 40, total: 100 })
      await writer[Symbol.asyncDispose]()
      const closed = await store.status('layer')
      expect(closed).toMatchObject({ ref: 'layer', offset: 40, total: 100 })
      expect(closed.startedAt).toEqual(open.startedAt)
      expect(closed.updatedAt.epochMicroseconds).toBeGreaterThanOrEqual(closed.startedAt.epochMicroseconds)
    })

    test('have total 0 if it is not known', async ({ store }) => {
      await interrupt(store, 'layer', new Uint8Array(1))
      expect(await store.status('layer')).toMatchObject({ offset: 1, total: 0 })
    })

    test('are listed in the order of their refs', async ({ store }) => {
      expect(await store.statuses()).toEqual([])
      for (const ref of ['c', 'a', 'd', 'b']) await interrupt(store, ref, new Uint8Array(ref.charCodeAt(0)))
      await using _ = await store.writer({ ref: 'e' })
      const statuses = await store.statuses()
      expect(statuses.map(({ ref, offset }) => [ref, offset])).toEqual([
        ['a', 97],
        ['b', 98],
        ['c', 99],
        ['d', 100],
        ['e', 0],
      ])
      expect(await store.statuses([])).toHaveLength(5)
    })

    test('are found by filters', async ({ store }) => {
      for (const ref of ['layer-1', 'layer-2', 'config-1']) await interrupt(store, ref, new Uint8Array(1))
      const refs = async (...filters: string[]) => (await store.statuses(filters)).map((status) => status.ref)
      expect(await refs('ref==layer-1')).toEqual(['layer-1'])
      expect(await refs('ref~=/^layer-/')).toEqual(['layer-1', 'layer-2'])
      expect(await refs('ref!=layer-1')).toEqual(['config-1', 'layer-2'])
      expect(await refs('ref==layer-2', 'ref==config-1')).toEqual(['config-1', 'layer-2'])
      expect(await refs('ref~=/1$/,ref~=/^layer/')).toEqual(['layer-1'])
      expect(await refs('ref==none')).toEqual([])
      await expectCode(store.statuses(['ref==']), 'invalid_argument')
    })

    test('are gone with all their bytes after an abort', async ({ store }) => {
      await expectCode(store.abort('layer'), 'not_found')
      await interrupt(store, 'layer', new Uint8Array(10))
      await interrupt(store, 'other', new Uint8Array(10))
      await store.abort('layer')
      await expectCode(store.status('layer'), 'not_found')
      await expectCode(store.abort('layer'), 'not_found')
      expect((await store.statuses()).map((status) => status.ref)).toEqual(['other'])
      const blob = newBlob(5)
      await using writer = await store.writer({ ref: 'layer', total: 5 })
      expect(writer.status()).toMatchObject({ offset: 0, total: 5 })
      await writer.write(blob.bytes)
      expect((await writer.commit()).digest).toBe(blob.digest)
    })

    test('are taken from their writer, which cannot commit any more', async ({ store }) => {
      await using writer = await store.writer({ ref: 'held' })
      await writer.write(newBlob(10).bytes)
      await store.abort('held')
      await expectCode(store.status('held'), 'not_found')
      await expect(writer.commit()).rejects.toThrow()
      await expectCode(store.abort('held'), 'not_found')
    })

    subjectTest(create, claims.abortEndsWriters)('end their writer, and begin anew', async ({ store }) => {
      const blob = newBlob(10)
      await using writer = await store.writer({ ref: 'held' })
      await writer.write(newBlob(5).bytes)
      await store.abort('held')
      await using next = await store.writer({ ref: 'held' })
      expect(next.status()).toMatchObject({ offset: 0, total: 0 })
      await next.write(blob.bytes)
      await expectCode(writer.write(new Uint8Array(1)), 'aborted')
      expect((await next.commit()).digest).toBe(blob.digest)
    })
  })
}
