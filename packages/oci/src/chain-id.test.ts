import { expect, test } from 'vitest'
import { chainIds, nextChainId } from './chain-id.ts'
import { digestOf } from './digest.ts'

const [a, b, c] = [digestOf('a'), digestOf('b'), digestOf('c')]

test('the lowest layer is its own chain, every other one hangs on the chain below', () => {
  const ab = digestOf(`${a} ${b}`)
  expect(chainIds([a, b, c])).toEqual([a, ab, digestOf(`${ab} ${c}`)])
})

test('the same layer twice makes two chains', () => {
  expect(chainIds([a, a])).toEqual([a, digestOf(`${a} ${a}`)])
})

test('no layers have no chain', () => {
  expect(chainIds([])).toEqual([])
})

// Computed with sha256sum.
test('a chain id is the sha256 of the texts of both digests with a space between', () => {
  const zeros = `sha256:${'0'.repeat(64)}` as const
  const ones = `sha256:${'1'.repeat(64)}` as const
  expect(nextChainId(zeros, ones)).toBe(
    'sha256:f94b891e05f6e37c90d87edfd5bb98a02d618a437c35f3a94b3b00e48e894631',
  )
})
