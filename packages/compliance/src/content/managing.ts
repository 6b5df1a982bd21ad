import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import { collect, items, newBlob, put } from './blobs.ts'
import type { CreateContentStore } from './subject.ts'

export function managingTests(create: CreateContentStore): void {
  describe('managing', () => {
    const test = subjectTest(create)

    test('has no information on a blob that is not there', async ({ store }) => {
      await expectCode(store.info(newBlob(10).digest), 'not_found')
    })

    test('merges labels, and drops those that become empty', async ({ store }) => {
      const blob = newBlob(10)
      const created = await put(store, blob, { labels: { keep: '1', change: '1', drop: '1' } })
      const updated = await store.update(blob.digest, {
        merge: { change: '2', drop: '', 'new.dotted/key': '3' },
      })
      expect({ ...updated.labels }).toEqual({ keep: '1', change: '2', 'new.dotted/key': '3' })
      expect(updated).toMatchObject({ digest: blob.digest, size: 10, createdAt: created.createdAt })
      expect(updated.updatedAt.epochMicroseconds).toBeGreaterThan(created.updatedAt.epochMicroseconds)
      const info = await store.info(blob.digest)
      expect({ ...info, labels: { ...info.labels } }).toEqual({ ...updated, labels: { ...updated.labels } })
    })

    test('replaces labels, without those that are empty', async ({ store }) => {
      const blob = newBlob(10)
      await put(store, blob, { labels: { a: '1', b: '1' } })
      await store.update(blob.digest, { replace: { b: '2', c: '3', d: '' } })
      expect({ ...(await store.info(blob.digest)).labels }).toEqual({ b: '2', c: '3' })
      await store.update(blob.digest, { replace: {} })
      expect({ ...(await store.info(blob.digest)).labels }).toEqual({})
    })

    test('keeps the labels that others change at the same time', async ({ store }) => {
      const blob = newBlob(10)
      await put(store, blob)
      const keys = Array.from({ length: 10 }, (_, index) => `key-${index}`)
      await Promise.all(keys.map((key) => store.update(blob.digest, { merge: { [key]: 'x' } })))
      expect(Object.keys((await store.info(blob.digest)).labels).sort()).toEqual(keys)
    })

    test('D05 refuses labels that are too long and changes nothing', async ({ store }) => {
      const blob = newBlob(10)
      await put(store, blob, { labels: { a: '1' } })
      const long = 'v'.repeat(4096)
      await expectCode(store.update(blob.digest, { merge: { b: long } }), 'invalid_argument')
      await expectCode(store.update(blob.digest, { replace: { b: long } }), 'invalid_argument')
      expect({ ...(await store.info(blob.digest)).labels }).toEqual({ a: '1' })
    })

    test('updates no blob that is not there', async ({ store }) => {
      await expectCode(store.update(newBlob(10).digest, { merge: { a: '1' } }), 'not_found')
    })

    test('lists blobs in the order of their digests', async ({ store }) => {
      expect(await items(store.list())).toEqual([])
      const blobs = Array.from({ length: 20 }, () => newBlob(10))
      for (const blob of blobs) await put(store, blob, { labels: { of: blob.digest } })
      const infos = await items(store.list())
      expect(infos.map((info) => info.digest)).toEqual(blobs.map((blob) => blob.digest).sort())
      for (const info of infos) {
        expect(info.size).toBe(10)
        expect({ ...info.labels }).toEqual({ of: info.digest })
      }
      expect(await items(store.list([]))).toHaveLength(20)
    })

    test('finds blobs by filters', async ({ store }) => {
      const [one, two, three] = [newBlob(1), newBlob(20), newBlob(30)]
      await put(store, one, { labels: { kind: 'layer', 'a.b/c': 'x' } })
      await put(store, two, { labels: { kind: 'layer' } })
      await put(store, three)
      const found = async (...filters: string[]) =>
        new Set((await items(store.list(filters))).map((info) => info.digest))
      expect(await found(`digest==${one.digest}`)).toEqual(new Set([one.digest]))
      expect(await found('digest~=/^sha256:/')).toEqual(new Set([one.digest, two.digest, three.digest]))
      expect(await found('labels.kind==layer')).toEqual(new Set([one.digest, two.digest]))
      expect(await found('labels.kind')).toEqual(new Set([one.digest, two.digest]))
      expect(await found('labels.kind!=layer')).toEqual(new Set([three.digest]))
      expect(await found('labels."a.b/c"==x')).toEqual(new Set([one.digest]))
      expect(await found(`labels.kind==layer,digest==${two.digest}`)).toEqual(new Set([two.digest]))
      expect(await found('labels."a.b/c"', `digest==${three.digest}`)).toEqual(
        new Set([one.digest, three.digest]),
      )
      expect(await found('labels.kind==none')).toEqual(new Set())
      await expectCode(items(store.list(['digest=='])), 'invalid_argument')
    })

    test('can end a list early', async ({ store }) => {
      const blobs = Array.from({ length: 5 }, () => newBlob(10))
      for (const blob of blobs) await put(store, blob)
      for await (const info of store.list()) {
        expect(info.digest).toBe(blobs.map((blob) => blob.digest).sort()[0])
        break
      }
      for (const blob of blobs) await store.delete(blob.digest)
      expect(await items(store.list())).toEqual([])
    })

    test('deletes a blob with its labels', async ({ store }) => {
      const [blob, other] = [newBlob(10), newBlob(10)]
      await put(store, blob, { labels: { a: '1' } })
      await put(store, other)
      await store.delete(blob.digest)
      await expectCode(store.info(blob.digest), 'not_found')
      await expectCode(collect(store.read(blob.digest)), 'not_found')
      await expectCode(store.update(blob.digest, { merge: { a: '1' } }), 'not_found')
      await expectCode(store.delete(blob.digest), 'not_found')
      expect((await items(store.list())).map((info) => info.digest)).toEqual([other.digest])
      expect({ ...(await put(store, blob)).labels }).toEqual({})
      expect({ ...(await store.info(blob.digest)).labels }).toEqual({})
    })
  })
}
