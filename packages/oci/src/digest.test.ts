import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  assertDigest,
  createHasher,
  digestAlgorithm,
  digestHex,
  digestOf,
  isDigest,
  parseDigest,
} from './digest.ts'

const invalidArgument = expect.objectContaining({ code: 'invalid_argument' })
const empty = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const hex64 = 'a'.repeat(64)

test('a digest is algorithm and hex', () => {
  expect(digestOf('')).toBe(empty)
  expect(digestAlgorithm(digestOf('', 'sha512'))).toBe('sha512')
  expect(digestHex(parseDigest(empty))).toBe(empty.slice(7))
})

test.each([`sha256:${hex64}`, `sha512:${hex64}${hex64}`])('takes %s', (text) => {
  expect(parseDigest(text)).toBe(text)
})

describe('B04 refuses what could be part of another path or URL, and what it cannot verify', () => {
  test.each([
    '',
    'sha256',
    'sha256:',
    `sha256:${hex64.slice(1)}`,
    `sha256:${hex64}a`,
    `sha256:${'A'.repeat(64)}`,
    `SHA256:${hex64}`,
    `sha512:${hex64}`,
    `sha384:${'a'.repeat(96)}`,
    `md5:${'a'.repeat(32)}`,
    `sha256+b64:${hex64}`,
    `sha256:${'../'.repeat(21)}a`,
    `sha256:${hex64}\n`,
    ` sha256:${hex64}`,
    `sha256:${hex64}\0`,
    `../sha256:${hex64}`,
    hex64,
    undefined,
    null,
    7,
    [`sha256:${hex64}`],
  ])('%j', (text) => {
    expect(isDigest(text)).toBe(false)
    expect(() => assertDigest(text)).toThrow(invalidArgument)
  })
})

test('B04 names the refused text without letting it forge a line or fill a log', () => {
  const parse = () => parseDigest(`sha256:x\nlevel=info${'y'.repeat(10_000)}`)
  expect(parse).toThrow(/^invalid digest "sha256:x\\nlevel=infoy{1,250}…": invalid argument$/)
})

test('bytes have the same digest in one piece and in many', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array()),
      fc.constantFrom('sha256' as const, 'sha512' as const),
      (pieces, algorithm) => {
        const hasher = createHasher(algorithm)
        for (const piece of pieces) hasher.update(piece)
        expect(hasher.digest()).toBe(digestOf(Buffer.concat(pieces), algorithm))
      },
    ),
  )
})

test('a hasher goes on after telling its digest, and apart from its clone', () => {
  const hasher = createHasher()
  hasher.update(Buffer.from('a'))
  expect(hasher.digest()).toBe(digestOf('a'))
  const clone = hasher.clone()
  hasher.update(Buffer.from('b'))
  clone.update(Buffer.from('c'))
  expect([hasher.digest(), clone.digest()]).toEqual([digestOf('ab'), digestOf('ac')])
})
