import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import { bare, listed, plain, whole } from './made-containers.ts'
import type { CreateContainerStore } from './subject.ts'

export function deletingTests(create: CreateContainerStore): void {
  describe('deleting', () => {
    const test = subjectTest(create)

    test('deletes a container, and no other', async ({ store }) => {
      await store.create(whole('x'))
      await store.create(whole('y'))
      await store.delete('x')
      await expectCode(store.get('x'), 'not_found')
      expect(await listed(store)).toEqual(['y'])
      await expectCode(store.delete('x'), 'not_found', 'container x')
      await expectCode(store.delete(''), 'not_found')
    })

    test('knows nothing of a container that does not exist', async ({ store }) => {
      await expectCode(store.delete('x'), 'not_found')
    })

    test('leaves nothing of a container to one that gets its id later', async ({ store }) => {
      await store.create(whole('x'))
      await store.delete('x')
      await store.create(bare('x'))
      expect(plain(await store.get('x'))).toMatchObject({
        ...bare('x'),
        labels: {},
        extensions: {},
        image: '',
      })
    })
  })
}
