import { expect, it } from 'vitest'
import { formatDuration } from './format-duration.ts'
import { formatLabels } from './format-labels.ts'
import { formatBinarySize, formatDecimalSize } from './format-size.ts'

it.each([
  [0, '0.0 B'],
  [1023, '1023.0 B'],
  [1024, '1.0 KiB'],
  [1_153_434, '1.1 MiB'],
  [3 * 1024 ** 3, '3.0 GiB'],
])('%d bytes are %s in binary units', (bytes, text) => expect(formatBinarySize(bytes)).toBe(text))

it.each([
  [0, '0B'],
  [527, '527B'],
  [1000, '1kB'],
  [1_146_123, '1.146MB'],
  [52_000_000, '52MB'],
])('%d bytes are %s in decimal units', (bytes, text) => expect(formatDecimalSize(bytes)).toBe(text))

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

it.each([
  [999, 'Less than a second'],
  [1000, '1 second'],
  [59_000, '59 seconds'],
  [minute, 'About a minute'],
  [20 * minute, '20 minutes'],
  [hour, 'About an hour'],
  [1.6 * hour, '2 hours'],
  [3 * day, '3 days'],
  [15 * day, '2 weeks'],
  [90 * day, '3 months'],
  [800 * day, '2 years'],
])('%d milliseconds are %s', (milliseconds, text) => expect(formatDuration(milliseconds)).toBe(text))

it('shows labels sorted by key, a dash for none', () => {
  expect(formatLabels({ b: '2', a: '1' })).toBe('a=1,b=2')
  expect(formatLabels({})).toBe('-')
  expect(formatLabels({}, '')).toBe('')
})
