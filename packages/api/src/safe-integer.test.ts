import { describe, expect, it } from 'vitest'
import { toBigInt, toSafeNumber } from './safe-integer.ts'

describe('toSafeNumber', () => {
  it.each([0n, 1n, -1n, 2n ** 53n - 1n, -(2n ** 53n) + 1n])('keeps %s', (value) => {
    expect(toBigInt(toSafeNumber(value, 'size'), 'size')).toBe(value)
  })

  it.each([2n ** 53n, -(2n ** 53n), 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 64n - 1n])(
    'refuses %s, naming the field',
    (value) => {
      expect(() => toSafeNumber(value, 'target.size')).toThrow(
        expect.objectContaining({
          code: 'invalid_argument',
          context: expect.stringContaining('target.size'),
        }),
      )
    },
  )
})

describe('toBigInt', () => {
  it.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('refuses %s, naming the field', (value) => {
    expect(() => toBigInt(value, 'offset')).toThrow(
      expect.objectContaining({ code: 'invalid_argument', context: expect.stringContaining('offset') }),
    )
  })
})
