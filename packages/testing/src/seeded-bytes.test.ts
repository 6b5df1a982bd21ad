import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { seededBytes } from './seeded-bytes.ts'

const bytes = (seed: string | number, length: number) => Buffer.concat([...seededBytes(seed, length)])

it('gives the length asked for, across pieces', () => {
  for (const length of [0, 1, 256 * 1024, 256 * 1024 + 1]) expect(bytes(1, length)).toHaveLength(length)
})

it('is the same for one seed and differs between seeds', () => {
  expect(bytes('a', 1000)).toEqual(bytes('a', 1000))
  expect(bytes('a', 1000)).not.toEqual(bytes('b', 1000))
  expect(bytes('a', 2000).subarray(0, 1000)).toEqual(bytes('a', 1000))
})

it('does not compress', () => {
  expect(gzipSync(bytes(1, 100_000)).length).toBeGreaterThan(100_000)
})
