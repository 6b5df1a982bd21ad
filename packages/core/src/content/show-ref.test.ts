import { expect, test } from 'vitest'
import { showRef } from './show-ref.ts'

test('shows a plain ref as it is', () => {
  expect(showRef('layer-sha256:abc')).toBe('layer-sha256:abc')
})

test('quotes and cuts a ref that could forge or flood a message', () => {
  expect(showRef('a\nb')).toBe('"a\\nb"')
  expect(showRef('two words')).toBe('"two words"')
  expect(showRef('x'.repeat(5000))).toHaveLength(259)
})
