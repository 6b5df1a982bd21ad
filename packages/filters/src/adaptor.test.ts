import { expect, test } from 'vitest'
import { labelField } from './adaptor.ts'

test('a label is found by its key in one part or in several', () => {
  const labels = { 'com.example/x.y': '1' }
  expect(labelField(labels, ['com.example/x.y'])).toBe('1')
  expect(labelField(labels, ['com', 'example/x', 'y'])).toBe('1')
  expect(labelField(labels, ['com'])).toBeUndefined()
})

test('no key names no label', () => {
  expect(labelField({ '': 'x' }, [])).toBeUndefined()
})

test.each(['__proto__', 'constructor', 'toString'])('%s is a key like any other', (key) => {
  expect(labelField({}, [key])).toBeUndefined()
  expect(labelField(JSON.parse(`{"${key}": "x"}`), [key])).toBe('x')
})
