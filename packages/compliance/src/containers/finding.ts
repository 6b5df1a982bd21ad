import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import { bare, listed, plain, whole } from './made-containers.ts'
import type { CreateContainerStore } from './subject.ts'

export function findingTests(create: CreateContainerStore): void {
  describe('finding', () => {
    const test = subjectTest(create)

    test('knows nothing of a container that does not exist', async ({ store }) => {
      await expectCode(store.get('x'), 'not_found', 'container "x" in namespace "')
      expect(await listed(store)).toEqual([])
      await store.create(bare('y'))
      for (const id of ['x', '', '../y', 'Y']) await expectCode(store.get(id), 'not_found')
    })

    test('lists containers in the order of their ids, with all that is kept of them', async ({ store }) => {
      for (const id of ['c', 'a', 'B', 'b']) await store.create(whole(id))
      expect(await listed(store)).toEqual(['B', 'a', 'b', 'c'])
      for await (const container of store.list())
        expect(plain(container)).toEqual(plain(await store.get(container.id)))
    })

    test('lists more containers than fit into one message', async ({ store }) => {
      const spec = { typeUrl: 'large', value: new Uint8Array(3 * 1024 * 1024) }
      const ids = Array.from({ length: 8 }, (_, index) => `x${index}`)
      for (const id of ids) await store.create(bare(id, { spec }))
      expect(await listed(store)).toEqual(ids)
    })

    test('ends a listing that nobody wants to see the end of', async ({ store }) => {
      for (const id of ['a', 'b', 'c']) await store.create(bare(id))
      for await (const { id } of store.list()) {
        expect(id).toBe('a')
        break
      }
      await store.delete('b')
      expect(await listed(store)).toEqual(['a', 'c'])
    })

    test('finds containers by filters', async ({ store }) => {
      await store.create(bare('a', { image: 'docker.io/a', labels: { 'x.y/z': '1', mark: 'yes' } }))
      await store.create(bare('b', { image: 'docker.io/b', labels: { mark: 'no' } }))
      await store.create(bare('c', { runtime: { name: 'other' }, sandbox: 'pod', snapshotter: 'native' }))
      expect(await listed(store, 'id==a')).toEqual(['a'])
      expect(await listed(store, 'id~=/^[ab]$/')).toEqual(['a', 'b'])
      expect(await listed(store, 'id!=a')).toEqual(['b', 'c'])
      expect(await listed(store, 'image==docker.io/b')).toEqual(['b'])
      expect(await listed(store, 'image')).toEqual(['a', 'b'])
      expect(await listed(store, 'runtime.name==other')).toEqual(['c'])
      expect(await listed(store, 'runtime==other')).toEqual([])
      expect(await listed(store, 'labels.mark')).toEqual(['a', 'b'])
      expect(await listed(store, 'labels.mark==yes')).toEqual(['a'])
      expect(await listed(store, 'labels."x.y/z"==1')).toEqual(['a'])
      expect(await listed(store, 'id==c', 'labels.mark==no')).toEqual(['b', 'c'])
      expect(await listed(store, 'image~=/^docker/,labels.mark==no')).toEqual(['b'])
      expect(await listed(store, 'sandbox==pod')).toEqual([])
      expect(await listed(store, 'snapshotter==native')).toEqual([])
      expect(await listed(store, '')).toEqual(['a', 'b', 'c'])
    })

    test('refuses a filter that does not parse', async ({ store }) => {
      await expectCode(listed(store, 'id=='), 'invalid_argument')
    })
  })
}
