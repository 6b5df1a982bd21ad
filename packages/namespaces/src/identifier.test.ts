import { expect, it } from 'vitest'
import { validateIdentifier } from './identifier.ts'
import { namespaceFromEnvironment, requireNamespace } from './namespace-name.ts'
import { validateLabels } from './validate-labels.ts'

it.each(['default', 'k8s.io', 'a', 'A-b_c.d', 'version', 'constructor', 'x'.repeat(76)])(
  'D07 accepts %s',
  (name) => expect(() => validateIdentifier(name)).not.toThrow(),
)

it.each([
  ['', 'identifier must not be empty: invalid argument'],
  [
    'x'.repeat(77),
    `identifier "${'x'.repeat(77)}" greater than maximum length (76 characters): invalid argument`,
  ],
  ['a b', 'identifier "a b" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$: invalid argument'],
])('says what is wrong with %j', (name, message) => {
  expect(() => validateIdentifier(name)).toThrow(
    expect.objectContaining({ code: 'invalid_argument', message }),
  )
})

it.each(['__proto__', '.', '..', '-a', 'a-', 'a..b', 'a/b', 'a\0', 'é', 'a\n'])('D04 refuses %j', (name) => {
  expect(() => validateIdentifier(name)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
})

it('takes the namespace from the environment, an empty one for none', () => {
  expect(namespaceFromEnvironment({})).toBe('default')
  expect(namespaceFromEnvironment({ CONTAINERD_NAMESPACE: '' })).toBe('default')
  expect(namespaceFromEnvironment({ CONTAINERD_NAMESPACE: 'foo' })).toBe('foo')
})

it('D07 tells a missing namespace from a malformed one', () => {
  expect(requireNamespace('foo')).toBe('foo')
  expect(() => requireNamespace(undefined)).toThrow('namespace is required: failed precondition')
  expect(() => requireNamespace('a b')).toThrow(
    'namespace validation: identifier "a b" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$: invalid argument',
  )
})

it('D05 bounds key and value together, in bytes', () => {
  expect(() => validateLabels({ a: 'x'.repeat(4095) }, 'info.Labels')).not.toThrow()
  expect(() => validateLabels({ ['k'.repeat(100)]: 'é'.repeat(1999) }, 'info.Labels')).toThrow(
    expect.objectContaining({
      code: 'invalid_argument',
      message:
        'info.Labels: label key and value length (4098 bytes) greater than maximum size (4096 bytes), ' +
        `key: ${'k'.repeat(64)}: invalid argument`,
    }),
  )
})

it('D05 bounds the number of labels', () => {
  const labels = Object.fromEntries(Array.from({ length: 16_385 }, (_, n) => [`l${n}`, '']))
  expect(() => validateLabels(labels, 'image.Labels')).toThrow(
    expect.objectContaining({ code: 'invalid_argument' }),
  )
})
