import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import { target } from './made-images.ts'
import type { CreateImageStore } from './subject.ts'

export function findingTests(create: CreateImageStore): void {
  describe('finding', () => {
    const test = subjectTest(create)

    test('knows nothing of an image that does not exist', async ({ store }) => {
      await expectCode(store.get('x'), 'not_found')
      expect(await store.list()).toEqual([])
    })

    test('lists images in the order of their names', async ({ store }) => {
      for (const name of ['c', 'a', 'B', 'b']) await store.create({ name, target: target(name) })
      expect((await store.list()).map(({ name }) => name)).toEqual(['B', 'a', 'b', 'c'])
      expect(await store.list([])).toHaveLength(4)
    })

    test('finds images by filters', async ({ store }) => {
      await store.create({ name: 'docker.io/a', target: target('a'), labels: { 'x.y/z': '1', mark: 'yes' } })
      await store.create({
        name: 'docker.io/b',
        target: target('b', { mediaType: 'application/vnd.oci.image.index.v1+json' }),
        labels: { mark: 'no' },
      })
      await store.create({ name: 'quay.io/c', target: target('c', { annotations: { note: 'n' } }) })
      const names = async (...filters: string[]) => (await store.list(filters)).map(({ name }) => name)
      expect(await names('name==docker.io/a')).toEqual(['docker.io/a'])
      expect(await names('name~=/^docker/')).toEqual(['docker.io/a', 'docker.io/b'])
      expect(await names('name!=docker.io/a')).toEqual(['docker.io/b', 'quay.io/c'])
      expect(await names(`target.digest==${target('b').digest}`)).toEqual(['docker.io/b'])
      expect(await names('target.mediatype~=/index/')).toEqual(['docker.io/b'])
      expect(await names('labels.mark')).toEqual(['docker.io/a', 'docker.io/b'])
      expect(await names('labels.mark==yes')).toEqual(['docker.io/a'])
      expect(await names('labels."x.y/z"==1')).toEqual(['docker.io/a'])
      expect(await names('annotations.note==n')).toEqual(['quay.io/c'])
      expect(await names('name==quay.io/c', 'labels.mark==no')).toEqual(['docker.io/b', 'quay.io/c'])
      expect(await names('name~=/^docker/,labels.mark==no')).toEqual(['docker.io/b'])
      expect(await names('name==none')).toEqual([])
    })

    test('refuses a filter that does not parse', async ({ store }) => {
      await expectCode(store.list(['name==']), 'invalid_argument')
    })
  })
}
