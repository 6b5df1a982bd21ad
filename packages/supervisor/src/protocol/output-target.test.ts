import { expect, test } from 'vitest'
import { outputTarget } from './output-target.ts'

test.each([
  ['', { kind: 'nothing' }],
  ['/run/fifo', { kind: 'path', path: '/run/fifo' }],
  ['/run/a%20b', { kind: 'path', path: '/run/a%20b' }],
  ['fifo:///run/a%20b', { kind: 'path', path: '/run/a b' }],
  ['file:///var/log/c é', { kind: 'file', path: '/var/log/c é' }],
  ['file:///var/log/c1', { kind: 'file', path: '/var/log/c1' }],
  [
    'binary:///bin/logger?--tag&id=a%20b',
    { kind: 'logger', program: '/bin/logger', args: ['--tag', 'id', 'a b'], readyByEnd: true },
  ],
  ['binary-v2:///bin/logger', { kind: 'logger', program: '/bin/logger', args: [], readyByEnd: false }],
])('%j is understood', (value, target) => {
  expect(outputTarget(value)).toEqual(target)
})

test.each([
  'fifo',
  './fifo',
  'npipe:////./pipe/x',
  'http://h/x',
  'file://host/x',
  'binary:relative',
  'file:///a%00b',
  'file:///%ff',
  // Paths that a URL parser would change.
  'f\nile:///a',
  'file:///var/l\nog',
  'file:///a/../etc/x',
  'file:///a\\b',
  ' file:///a',
  'file:///a ',
  'file://localhost/a',
  'file:/a',
])('%j is refused', (value) => {
  expect(() => outputTarget(value)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
})
