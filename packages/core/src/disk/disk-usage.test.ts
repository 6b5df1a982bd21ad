import { expect, test } from 'vitest'
import { diskUsage } from './disk-usage.ts'
import type { ObjectName, StoredObject } from './stored-object.ts'

const plain = { isRoot: false, isFlat: false, references: [] }
const content = (id: string, size: number, ...references: ObjectName[]): StoredObject => {
  return { ...plain, kind: 'content', id, size, storage: `content/${id}`, references }
}
const image = (id: string, ...references: ObjectName[]): StoredObject => {
  return { ...plain, kind: 'image', id, isRoot: true, references }
}
const snapshot = (id: string, size: number, backing: number, parent?: string): StoredObject => {
  const storage = `snapshot/${backing}`
  return { ...plain, kind: 'snapshot', snapshotter: 'overlayfs', id, size, storage, parent }
}

const config = content('config', 1, snapshot('base', 0, 0))
const [layer, manifest] = [content('layer', 100), content('manifest', 10, config, content('layer', 0))]

test('bytes that images, containers and namespaces share count once in the whole', () => {
  const other = content('other', 5, layer)
  const container: StoredObject = {
    ...{ ...plain, kind: 'container', id: 'c', isRoot: true },
    references: [snapshot('rw', 0, 0)],
  }
  const a = [
    ...[image('one', manifest), image('two', other), container, manifest, config, layer, other],
    ...[snapshot('base', 300, 1), snapshot('rw', 7, 2, 'base')],
  ]
  const b = [image('one', manifest), manifest, config, layer, snapshot('base', 300, 1)]
  const usage = diskUsage(new Map(Object.entries({ a, b, empty: [] })))

  expect(usage.size).toBe(1 + 100 + 10 + 5 + 300 + 7)
  expect(usage.namespaces[0]).toEqual({
    ...{ name: 'a', size: 423, unique: 12, content: 116, snapshots: 307, ingests: 0, unheld: 0 },
    images: [
      { name: 'one', size: 411, unique: 0 },
      { name: 'two', size: 105, unique: 5 },
    ],
    containers: [{ name: 'c', size: 307, unique: 307 }],
  })
  expect(usage.namespaces[1]).toMatchObject({ name: 'b', size: 411, unique: 0 })
  expect(usage.namespaces[2]).toMatchObject({ name: 'empty', size: 0, images: [], containers: [] })
})

test('what nothing keeps is told', () => {
  const [usage] = diskUsage(new Map([['a', [layer, snapshot('left', 20, 3)]]])).namespaces
  expect(usage).toMatchObject({ size: 120, unheld: 120 })
})
