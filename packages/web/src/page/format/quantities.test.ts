import { expect, it } from 'vitest'
import { bytesText, durationText, percentText, spanText } from './quantities.ts'

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [10 * 1024, '10 KiB'],
  [999.6 * 1024, '1.0 MiB'],
  [5 * 1024 ** 3, '5.0 GiB'],
  [2000 * 1024 ** 5, '2000 PiB'],
])('%d bytes are read as %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})

it.each([
  [-5, 'now'],
  [59.9, '59 s'],
  [60, '1 min'],
  [7_300, '2 h'],
  [200_000, '2 d'],
])('a span of %d s is read as %s', (seconds, text) => {
  expect(spanText(seconds)).toBe(text)
})

it('gives durations the unit that fits, and shares as percentages', () => {
  expect([2, 0.0123, 0.00034].map(durationText)).toEqual(['2.0 s', '12 ms', '340 µs'])
  expect([0, 0.004, 0.5, 2].map(percentText)).toEqual(['0.0 %', '0.4 %', '50 %', '200 %'])
})
