import { expect, test } from 'vitest'
import { labelReferences } from './references.ts'

const references = (key: string, value = 'id') => labelReferences({ [key]: value })
const nothing = { to: [], from: [] }

test('reads what an object keeps from its labels', () => {
  for (const suffix of ['', '.0', '.l.0', '/x', '/a/b', '.']) {
    expect(references(`containerd.io/gc.ref.content${suffix}`)).toEqual({
      to: [{ kind: 'content', id: 'id' }],
      from: [],
    })
    expect(references(`containerd.io/gc.ref.image${suffix}`).to).toEqual([{ kind: 'image', id: 'id' }])
  }
  for (const suffix of ['', '/x', '/a/b']) {
    expect(references(`containerd.io/gc.ref.snapshot.overlayfs${suffix}`).to).toEqual([
      { kind: 'snapshot/overlayfs', id: 'id' },
    ])
  }
})

test('reads what keeps an object from its labels', () => {
  expect(references('containerd.io/gc.bref.content.x').from).toEqual([{ kind: 'content', id: 'id' }])
  expect(references('containerd.io/gc.bref.image').from).toEqual([{ kind: 'image', id: 'id' }])
  expect(references('containerd.io/gc.bref.container/x').from).toEqual([{ kind: 'container', id: 'id' }])
  expect(references('containerd.io/gc.bref.snapshot.native').from).toEqual([
    { kind: 'snapshot/native', id: 'id' },
  ])
})

test('makes nothing of other labels', () => {
  for (const key of [
    'containerd.io/gc.ref.contents',
    'containerd.io/gc.ref.content-x',
    'containerd.io/gc.ref.container',
    'containerd.io/gc.ref.snapshot',
    'containerd.io/gc.ref.snapshot.',
    'containerd.io/gc.ref.snapshot./x',
    'containerd.io/gc.ref',
    'containerd.io/gc.root',
    'xcontainerd.io/gc.ref.content',
    'containerd.io/gc.REF.content',
    '__proto__',
  ]) {
    expect(references(key)).toEqual(nothing)
  }
})
