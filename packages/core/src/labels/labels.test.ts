import { expect, it } from 'vitest'
import { changeLabels } from './change-labels.ts'
import { labelChangeFromPaths } from './label-paths.ts'

it('merges, replaces and deletes by an empty value', () => {
  const current = { a: '1', b: '2' }
  expect({ ...changeLabels(current, { merge: { b: '', c: '3' } }) }).toEqual({ a: '1', c: '3' })
  expect({ ...changeLabels(current, { replace: { c: '3', d: '' } }) }).toEqual({ c: '3' })
  expect(current).toEqual({ a: '1', b: '2' })
})

it('B05 keeps keys that name properties of every object', () => {
  const changed = changeLabels({}, { merge: JSON.parse('{"__proto__":"x","constructor":"y"}') })
  expect(Object.entries(changed)).toEqual([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ])
})

it.each([
  [[], { replace: { 'a.b': '1' } }],
  [['labels'], { replace: { 'a.b': '1' } }],
  [['labels.a.b'], { merge: { 'a.b': '1' } }],
  [['labels.absent'], { merge: { absent: '' } }],
  [['labels.toString'], { merge: { toString: '' } }],
])('reads the field mask %j', (paths, change) => {
  const read = labelChangeFromPaths({ 'a.b': '1' }, paths, { subject: 'content info' })
  expect(JSON.parse(JSON.stringify(read))).toEqual(change)
})

it('refuses other fields with the text that clients know', () => {
  expect(() => labelChangeFromPaths({}, ['size'], { subject: 'content info sha256:…' })).toThrow(
    'cannot update "size" field on content info sha256:…: invalid argument',
  )
})
