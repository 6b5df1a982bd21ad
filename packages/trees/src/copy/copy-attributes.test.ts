import { expect, test } from 'vitest'
import { timeParts } from './copy-attributes.ts'

test.each([
  [0n, [0, 0]],
  [1n, [0, 1]],
  [1_700_000_000_123_456_789n, [1_700_000_000, 123_456_789]],
  [-1n, [-1, 999_999_999]],
  [-1_000_000_000n, [-1, 0]],
  [-1_500_000_000n, [-2, 500_000_000]],
])('%d nanoseconds have parts that are not negative', (nanoseconds, parts) => {
  expect(timeParts(nanoseconds)).toEqual(parts)
})
