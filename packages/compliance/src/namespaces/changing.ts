import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import type { NamespaceStoreClaims } from './claims.ts'
import { type CreateNamespaceStore, newName } from './subject.ts'

export function changingTests(create: CreateNamespaceStore, claims: NamespaceStoreClaims): void {
  describe('labels', () => {
    const test = subjectTest(create)

    test('are merged, and an empty value deletes', async ({ store }) => {
      const name = newName()
      await store.create({ name, labels: { a: '1', 'b.c': '2', d: '4' } })
      const updated = await store.update(name, { merge: { a: '', 'b.c': '3', e: '5' } })
      expect({ ...updated.labels }).toEqual({ 'b.c': '3', d: '4', e: '5' })
      expect({ ...(await store.get(name)).labels }).toEqual({ 'b.c': '3', d: '4', e: '5' })
    })

    test('are replaced', async ({ store }) => {
      const name = newName()
      await store.create({ name, labels: { a: '1', b: '2' } })
      await store.update(name, { replace: { b: '3', c: '4' } })
      expect({ ...(await store.get(name)).labels }).toEqual({ b: '3', c: '4' })
    })

    test('D05 stay as they are when new ones are too long', async ({ store }) => {
      const name = newName()
      await store.create({ name, labels: { a: '1' } })
      await expectCode(store.update(name, { merge: { k: 'v'.repeat(4096) } }), claims.longLabelUpdate)
      expect({ ...(await store.get(name)).labels }).toEqual({ a: '1' })
    })

    subjectTest(create, claims.knowsMissing)('are those of namespaces that exist', async ({ store }) => {
      const name = newName()
      await expectCode(store.get(name), 'not_found')
      expect((await store.list()).map((namespace) => namespace.name)).not.toContain(name)
    })

    test('of a namespace that does not exist make it', async ({ store }) => {
      for (const change of ['merge', 'replace'] as const) {
        const name = newName()
        const labels = { a: '1' }
        await store.update(name, change === 'merge' ? { merge: labels } : { replace: labels })
        expect({ ...(await store.get(name)).labels }).toEqual({ a: '1' })
        expect((await store.list()).map((namespace) => namespace.name)).toContain(name)
      }
    })

    test('that are none make no namespace', async ({ store }) => {
      const name = newName()
      expect({ ...(await store.update(name, { replace: {} })).labels }).toEqual({})
      expect((await store.list()).map((namespace) => namespace.name)).not.toContain(name)
    })
  })
}
