import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import { target } from './made-images.ts'
import type { CreateImageStore } from './subject.ts'

export function deletingTests(create: CreateImageStore): void {
  describe('deleting', () => {
    const test = subjectTest(create)

    for (const sync of [false, true]) {
      test(`deletes an image${sync ? ', and waits for the collection' : ''}`, async ({ store }) => {
        await store.create({ name: 'x', target: target('a') })
        await store.create({ name: 'y', target: target('a') })
        await store.delete('x', { sync })
        await expectCode(store.get('x'), 'not_found')
        expect((await store.list()).map(({ name }) => name)).toEqual(['y'])
        await expectCode(store.delete('x', { sync }), 'not_found')
      })
    }

    test('deletes an image only if it has the target that is named', async ({ store }) => {
      await store.create({ name: 'x', target: target('a') })
      await expectCode(store.delete('x', { target: target('b') }), 'not_found')
      expect((await store.get('x')).target.digest).toBe(target('a').digest)
      await store.delete('x', { target: target('a') })
      expect(await store.list()).toEqual([])
    })

    test('leaves nothing of an image to one that gets its name later', async ({ store }) => {
      await store.create({ name: 'x', target: target('a', { annotations: { n: '1' } }), labels: { a: '1' } })
      await store.delete('x')
      await store.create({ name: 'x', target: target('b') })
      const image = await store.get('x')
      expect({ ...image.labels }).toEqual({})
      expect({ ...image.target.annotations }).toEqual({})
    })
  })
}
