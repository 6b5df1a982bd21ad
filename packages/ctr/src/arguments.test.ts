import { expect, it } from 'vitest'
import { activeFilter } from './commands/content-active.ts'
import { withObject } from './commands/content-fetch.ts'
import { parseDuration } from './global-options.ts'
import { parseLabels } from './parse-labels.ts'

it('takes labels apart at the first equals sign; a key alone gets the value of its absence', () => {
  expect({ ...parseLabels(['a=1', 'b=x=y', 'c=', 'd']) }).toEqual({ a: '1', b: 'x=y', c: '', d: '' })
  expect({ ...parseLabels(['__proto__=x']) }).toEqual({ ['__proto__']: 'x' })
})

it.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['0', 0],
])('reads the duration %s', (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds))

it.each(['', '5', 's', '5x', '1s2', '-1s'])('refuses the duration "%s"', (text) => {
  expect(() => parseDuration(text)).toThrow(/duration/)
})

it('takes the argument of active as a filter if it is one, else as a regular expression', () => {
  expect(activeFilter('ref==layer')).toBe('ref==layer')
  expect(activeFilter('^layer-"x')).toBe('ref~="^layer-\\"x"')
})

it('names an object of a repository by tag or digest', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  expect(withObject('docker.io/library/redis', 'latest')).toBe('docker.io/library/redis:latest')
  expect(withObject('docker.io/library/redis:7', digest)).toBe(`docker.io/library/redis@${digest}`)
  expect(withObject('docker.io/library/redis:7', undefined)).toBe('docker.io/library/redis:7')
})
