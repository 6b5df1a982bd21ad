import type { ObjectName, StoredObject } from '@nsbox/core/disk'
import { expect, it } from 'vitest'
import { diskTree } from './disk-tree.ts'

const plain = { isRoot: false, isFlat: false, references: [] }
const content = (id: string, size: number, ...references: ObjectName[]): StoredObject => ({
  ...{ ...plain, kind: 'content', id, size, storage: `content/${id}`, references },
})
const root = (kind: 'image' | 'container', id: string, ...references: ObjectName[]): StoredObject => ({
  ...{ ...plain, kind, id, isRoot: true, references },
})
const snapshot = (id: string, size: number, parent?: string): StoredObject => ({
  ...{ ...plain, kind: 'snapshot', snapshotter: 'overlayfs', id, size, storage: `snapshot/${id}`, parent },
})

it('gives each byte to one holder: an image, several, a container, or nothing', () => {
  const [layer, own, left] = [content('layer', 100), content('own', 10), content('left', 5)]
  const [base, rw] = [snapshot('base', 300), snapshot('rw', 7, 'base')]
  const objects = [
    root('image', 'one', layer, own, base),
    root('image', 'two', layer),
    root('container', 'c', rw),
    ...[layer, own, left, base, rw],
  ]
  const [tree] = diskTree(new Map([['a', objects]]))
  expect(tree).toMatchObject({ name: 'a', size: 422 })
  expect(tree!.holders.map(({ kind, name, content, snapshots }) => [kind, name, content, snapshots])).toEqual(
    [
      ['image', 'one', 10, 300],
      ['shared', '', 100, 0],
      ['container', 'c', 0, 7],
      ['unused', '', 5, 0],
    ],
  )
})
