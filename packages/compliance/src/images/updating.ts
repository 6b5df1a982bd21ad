import type { Digest } from '@nsbox/oci'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import type { ImageStoreClaims } from './claims.ts'
import { plain, target } from './made-images.ts'
import type { CreateImageStore } from './subject.ts'

export function updatingTests(create: CreateImageStore, claims: ImageStoreClaims): void {
  describe('updating', () => {
    const test = subjectTest(create)

    test('merges labels, and an empty value deletes', async ({ store }) => {
      const created = await store.create({
        name: 'x',
        target: target('a'),
        labels: { a: '1', 'b.c': '2', d: '4' },
      })
      const updated = await store.update('x', { labels: { merge: { a: '', 'b.c': '3', e: '5' } } })
      expect({ ...updated.labels }).toEqual({ 'b.c': '3', d: '4', e: '5' })
      expect(updated.target.digest).toBe(created.target.digest)
      expect(updated.createdAt).toEqual(created.createdAt)
      expect(updated.updatedAt.epochMicroseconds).toBeGreaterThan(created.updatedAt.epochMicroseconds)
      expect(plain(await store.get('x'))).toEqual(plain(updated))
    })

    test('replaces labels', async ({ store }) => {
      await store.create({ name: 'x', target: target('a'), labels: { a: '1', b: '2' } })
      expect({ ...(await store.update('x', { labels: { replace: { c: '3', d: '' } } })).labels }).toEqual({
        c: '3',
      })
      expect({ ...(await store.update('x', { labels: { replace: {} } })).labels }).toEqual({})
    })

    test('changes the target and leaves the labels', async ({ store }) => {
      await store.create({ name: 'x', target: target('a'), labels: { a: '1' } })
      const updated = await store.update('x', { target: target('b', { size: 7 }) })
      expect(plain(updated)).toMatchObject({ target: target('b', { size: 7 }), labels: { a: '1' } })
    })

    test('changes target and labels at once', async ({ store }) => {
      await store.create({ name: 'x', target: target('a'), labels: { a: '1' } })
      await store.update('x', { target: target('b'), labels: { replace: { b: '2' } } })
      expect(plain(await store.get('x'))).toMatchObject({ target: target('b'), labels: { b: '2' } })
    })

    subjectTest(create, claims.annotationChange)(
      'changes annotations and leaves the target',
      async ({ store }) => {
        await store.create({ name: 'x', target: target('a', { annotations: { a: '1', b: '2' } }) })
        const merged = await store.update('x', { annotations: { merge: { a: '', c: '3' } } })
        expect(plain(merged).target).toEqual(target('a', { annotations: { b: '2', c: '3' } }))
        const replaced = await store.update('x', { annotations: { replace: { d: '4' } } })
        expect(plain(replaced).target).toEqual(target('a', { annotations: { d: '4' } }))
      },
    )

    test('knows nothing of an image that does not exist', async ({ store }) => {
      await expectCode(store.update('x', { labels: { merge: { a: '1' } } }), 'not_found')
      await expectCode(store.update('x', { target: target('a') }), 'not_found')
      expect(await store.list()).toEqual([])
    })

    test('refuses what creating refuses and leaves the image as it is', async ({ store }) => {
      const created = await store.create({ name: 'x', target: target('a'), labels: { a: '1' } })
      for (const change of [
        { target: target('b', { size: 0 }) },
        { target: target('b', { mediaType: '' }) },
        { target: target('b', { digest: 'sha256:x' as Digest }) },
        { labels: { merge: { k: 'v'.repeat(4096) } } },
      ]) {
        await expectCode(store.update('x', change), 'invalid_argument')
      }
      expect(plain(await store.get('x'))).toEqual(plain(created))
    })
  })
}
