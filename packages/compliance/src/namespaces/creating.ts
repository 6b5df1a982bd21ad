import { maxLabels } from '@nsbox/namespaces'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import type { NamespaceStoreClaims } from './claims.ts'
import { type CreateNamespaceStore, newName } from './subject.ts'

const malformed = ['', '-a', 'a-', 'a..b', 'a/b', '../a', 'a b', 'ü', '__proto__', 'a\n', 'a'.repeat(77)]

export function creatingTests(create: CreateNamespaceStore, claims: NamespaceStoreClaims): void {
  describe('creating', () => {
    const test = subjectTest(create)

    test('keeps name and labels', async ({ store }) => {
      const name = newName()
      const labels = { a: '1', 'b.c/d': 'ä = "2"', constructor: 'c' }
      const created = await store.create({ name, labels })
      expect({ ...created, labels: { ...created.labels } }).toEqual({ name, labels })
      const found = await store.get(name)
      expect({ ...found, labels: { ...found.labels } }).toEqual({ name, labels })
    })

    test('takes a namespace without labels', async ({ store }) => {
      const name = newName()
      await store.create({ name })
      expect({ ...(await store.get(name)).labels }).toEqual({})
    })

    test('refuses a name that is taken and leaves its labels as they are', async ({ store }) => {
      const name = newName()
      await store.create({ name, labels: { a: '1' } })
      await expectCode(store.create({ name, labels: { a: '2' } }), 'already_exists')
      expect({ ...(await store.get(name)).labels }).toEqual({ a: '1' })
    })

    test('D07 takes names up to the limit, and such as mean something elsewhere', async ({ store }) => {
      const long = `${newName()}-`.padEnd(76, 'x')
      const names = [long, 'constructor', 'a.b_c-D']
      for (const name of names) await store.create({ name })
      const listed = (await store.list()).map((namespace) => namespace.name)
      for (const name of names) {
        expect(listed).toContain(name)
        await store.delete(name)
      }
    })

    subjectTest(create, claims.everyName)(
      'D07 takes a name that stores use for themselves',
      async ({ store }) => {
        await store.create({ name: 'version' })
        expect((await store.list()).map((namespace) => namespace.name)).toContain('version')
        await store.delete('version')
      },
    )

    test('D07 refuses names that are no identifiers', async ({ store }) => {
      for (const name of malformed) await expectCode(store.create({ name }), 'invalid_argument')
      expect((await store.list()).filter(({ name }) => malformed.includes(name))).toEqual([])
    })

    test('D05 refuses labels that are too long', async ({ store }) => {
      const name = newName()
      await expectCode(store.create({ name, labels: { k: 'v'.repeat(4096) } }), 'invalid_argument')
      expect((await store.list()).map((namespace) => namespace.name)).not.toContain(name)
    })

    subjectTest(create, claims.labelCountLimit)('D05 refuses more labels than allowed', async ({ store }) => {
      const name = newName()
      const labels = Object.fromEntries(
        Array.from({ length: maxLabels + 1 }, (_, index) => [`label-${index}`, 'x']),
      )
      await expectCode(store.create({ name, labels }), 'invalid_argument')
      expect((await store.list()).map((namespace) => namespace.name)).not.toContain(name)
    })

    test('lists namespaces in the order of their names', async ({ store }) => {
      const names = [newName(), newName(), newName()]
      for (const name of names) await store.create({ name })
      const listed = (await store.list()).map((namespace) => namespace.name)
      expect(listed).toEqual([...listed].sort())
      expect(listed.filter((name) => names.includes(name))).toEqual(names.sort())
    })

    test('happens by storing something', async ({ store, fill }) => {
      const name = newName()
      expect((await store.list()).map((namespace) => namespace.name)).not.toContain(name)
      await fill(name)
      expect((await store.list()).map((namespace) => namespace.name)).toContain(name)
      await expectCode(store.create({ name }), 'already_exists')
    })

    test('does nothing for a caller who has given up already', async ({ store }) => {
      const reason = new Error('the caller gave up')
      const signal = AbortSignal.abort(reason)
      const [name, kept] = [newName(), newName()]
      await store.create({ name: kept })
      await expect(store.create({ name }, { signal })).rejects.toBe(reason)
      await expect(store.get(kept, { signal })).rejects.toBe(reason)
      await expect(store.list({ signal })).rejects.toBe(reason)
      await expect(store.update(kept, { merge: { a: '1' } }, { signal })).rejects.toBe(reason)
      await expect(store.delete(kept, { signal })).rejects.toBe(reason)
      const listed = (await store.list()).map((namespace) => namespace.name)
      expect(listed).toContain(kept)
      expect(listed).not.toContain(name)
      expect({ ...(await store.get(kept)).labels }).toEqual({})
    })
  })
}
