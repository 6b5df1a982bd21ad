import { expect, test } from 'vitest'
import type { ObjectName, StoredObject } from './stored-object.ts'
import { unheld } from './unheld.ts'
import { why } from './why.ts'

const plain = { isRoot: false, isFlat: false, references: [] }
const content = (id: string, ...references: ObjectName[]): StoredObject => {
  return { ...plain, kind: 'content', id, references }
}
const image = (id: string, ...references: ObjectName[]): StoredObject => {
  return { ...plain, kind: 'image', id, isRoot: true, references }
}
const lease = (id: string, isFlat: boolean, ...references: ObjectName[]): StoredObject => {
  return { ...plain, kind: 'lease', id, isRoot: true, isFlat, references }
}
const snapshot = (id: string, parent?: string): StoredObject => {
  return { ...plain, kind: 'snapshot', snapshotter: 'overlayfs', id, parent }
}
const ids = (objects: readonly StoredObject[], of: ObjectName) =>
  why(objects, of)?.map((chain) => chain.map(({ id }) => id))
const left = (objects: readonly StoredObject[], without?: ObjectName[]) =>
  unheld(objects, { without }).map(({ id }) => id)

test('each root that keeps an object is told with the shortest way down, shorter ones first', () => {
  const layer = content('layer')
  const manifest = content('manifest', layer)
  const index = content('index', manifest, layer)
  const objects = [
    image('long', index),
    image('short', manifest),
    lease('l', false, layer),
    index,
    manifest,
    layer,
  ]
  expect(ids(objects, layer)).toEqual([
    ['l', 'layer'],
    ['long', 'index', 'layer'],
    ['short', 'manifest', 'layer'],
  ])
  expect(ids(objects, index)).toEqual([['long', 'index']])
  expect(left(objects)).toEqual([])
  expect(left(objects, [image('long')])).toEqual(['index'])
  expect(left(objects, [image('long'), image('short'), lease('l', false)])).toEqual([
    'index',
    'manifest',
    'layer',
  ])
})

test('nothing keeps what no root leads to, though others refer to it, in a circle too', () => {
  const [a, b] = [content('a', content('b')), content('b', content('a'))]
  expect(ids([a, b], a)).toEqual([])
  expect(left([a, b])).toEqual(['a', 'b'])
  expect(why([a, b], content('c'))).toBeUndefined()
})

test('a flat lease keeps what it names, and what a snapshot is based on, but no more', () => {
  const layer = content('layer')
  const manifest = content('manifest', layer)
  const [base, top] = [snapshot('base'), snapshot('top', 'base')]
  const objects = [lease('flat', true, manifest, top), manifest, layer, base, top]
  expect(ids(objects, manifest)).toEqual([['flat', 'manifest']])
  expect(ids(objects, layer)).toEqual([])
  expect(ids(objects, base)).toEqual([['flat', 'top', 'base']])
  expect(left(objects)).toEqual(['layer'])
})

test('a root is its own reason', () => {
  const rooted = { ...content('rooted'), isRoot: true }
  expect(ids([rooted, lease('flat', true)], rooted)).toEqual([['rooted']])
  expect(ids([lease('flat', true)], lease('flat', true))).toEqual([['flat']])
})

test('references that an object has when it comes again count as well', () => {
  const objects = [
    lease('l', false, content('a')),
    lease('l', false, content('b')),
    content('a'),
    content('b'),
  ]
  expect(ids(objects, content('b'))).toEqual([['l', 'b']])
  expect(left(objects)).toEqual([])
})
