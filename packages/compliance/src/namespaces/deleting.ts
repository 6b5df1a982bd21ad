import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import { type CreateNamespaceStore, newName } from './subject.ts'

export function deletingTests(create: CreateNamespaceStore): void {
  describe('deleting', () => {
    const test = subjectTest(create)

    test('deletes an empty namespace with its labels', async ({ store }) => {
      const name = newName()
      await store.create({ name, labels: { a: '1' } })
      await store.delete(name)
      expect((await store.list()).map((namespace) => namespace.name)).not.toContain(name)
      await expectCode(store.delete(name), 'not_found')
      await store.create({ name })
      expect({ ...(await store.get(name)).labels }).toEqual({})
    })

    test('refuses a namespace that holds something, and says what', async ({ store, fill, empty }) => {
      const name = newName()
      await store.create({ name, labels: { a: '1' } })
      await fill(name)
      await expectCode(store.delete(name), 'failed_precondition')
      await expect(store.delete(name)).rejects.toThrow(
        `namespace "${name}" must be empty, but it still has images: failed precondition`,
      )
      expect({ ...(await store.get(name)).labels }).toEqual({ a: '1' })
      await empty(name)
      await store.delete(name)
      expect((await store.list()).map((namespace) => namespace.name)).not.toContain(name)
    })
  })
}
