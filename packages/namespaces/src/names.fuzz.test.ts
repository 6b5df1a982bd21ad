import { attempt, fuzz, mutatedText } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { expect } from 'vitest'
import { maxIdentifierLength, validateIdentifier } from './identifier.ts'
import { requireNamespace } from './namespace-name.ts'
import { maxLabelBytes, validateLabels } from './validate-labels.ts'

const name = mutatedText(['default', 'k8s.io', 'a-b_c.d', 'x'.repeat(76)], {
  most: 3,
  dictionary: [...'.-_/\\ \n\0é%', '..', '__proto__'],
})

fuzz('D04 an identifier that is accepted is one name in a path, a URL and a header', name, (text) => {
  const { outcome } = attempt(() => validateIdentifier(text))
  expect(attempt(() => requireNamespace(text)).outcome === 'accepted').toBe(outcome === 'accepted')
  if (outcome !== 'accepted') return outcome
  expect(text.length).toBeLessThanOrEqual(maxIdentifierLength)
  expect(encodeURIComponent(text)).toBe(text)
  expect(new URL(`file:///x/${text}/y`).pathname).toBe(`/x/${text}/y`)
  expect(text).toMatch(/^[A-Za-z0-9].*[A-Za-z0-9]$|^[A-Za-z0-9]$/)
  return outcome
})

const text = fc.oneof(
  name,
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.nat(5000).map((length) => 'é'.repeat(length)),
)

fuzz(
  'D05 labels that are accepted have their bound in bytes',
  fc.dictionary(text, text, { maxKeys: 3 }),
  (labels) => {
    const { outcome } = attempt(() => validateLabels(labels, 'labels'))
    const sizes = Object.entries(labels).map(([key, value]) => Buffer.byteLength(key + value))
    expect(outcome === 'accepted').toBe(sizes.every((size) => size <= maxLabelBytes))
    return outcome
  },
)
