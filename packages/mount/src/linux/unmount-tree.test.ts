import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { MountInfo } from '../mount-info.ts'
import { innermostFirst } from './unmount-tree.ts'

const info = (id: number, parentId: number): MountInfo => ({
  id,
  parentId,
  device: '0:1',
  root: '/',
  mountPoint: `/${id}`,
  options: [],
  propagation: { unbindable: false },
  type: 'tmpfs',
  source: '',
  superOptions: [],
})

test('every mount comes before the one that it is on, whatever their ids', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 30 }), (parents) => {
      const infos = parents.map((parent, index) => info(index + 1, index === 0 ? 99 : (parent % index) + 1))
      const order = innermostFirst(infos).map(({ id }) => id)
      expect(order).toHaveLength(infos.length)
      for (const { id, parentId } of infos.slice(1))
        expect(order.indexOf(id)).toBeLessThan(order.indexOf(parentId))
    }),
  )
})

test('a root that is its own parent, and parents in a circle, do not stop it', () => {
  expect(innermostFirst([info(1, 1), info(2, 1)]).map(({ id }) => id)).toEqual([2, 1])
  expect(innermostFirst([info(1, 2), info(2, 1)])).toHaveLength(2)
})
