import { describe, expect, test } from 'vitest'
import { assertDescriptor, parseDescriptor } from './descriptor.ts'
import { digestOf } from './digest.ts'
import { mediaTypes } from './media-type.ts'
import type { Json } from './strict-json.ts'

const invalidArgument = expect.objectContaining({ code: 'invalid_argument' })
const minimal = { mediaType: mediaTypes.ociManifest, digest: digestOf('hello'), size: 5 }
const withField = (field: Record<string, Json>) => () => parseDescriptor({ ...minimal, ...field })

test('keeps every field that it knows, and no other', () => {
  const optional = {
    annotations: { 'org.opencontainers.image.ref.name': 'v1' },
    urls: ['https://example.com/blob'],
    platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
    artifactType: 'application/vnd.example',
    data: 'aGVsbG8=',
  }
  expect(parseDescriptor({ ...minimal, ...optional, future: 1 })).toEqual({ ...minimal, ...optional })
})

test('has no field that is absent or null', () => {
  const nulls = { annotations: null, urls: null, platform: null, artifactType: null, data: null }
  expect(Object.keys(parseDescriptor({ ...minimal, ...nulls }))).toEqual(Object.keys(minimal))
})

test('names a platform in the way of the rest of the library', () => {
  const platform = { os: 'windows', architecture: 'amd64', 'os.version': '10.0.1', 'os.features': ['win32k'] }
  expect(parseDescriptor({ ...minimal, platform }).platform).toEqual({
    os: 'windows',
    architecture: 'amd64',
    osVersion: '10.0.1',
    osFeatures: ['win32k'],
  })
})

test.each([0, Number.MAX_SAFE_INTEGER])('takes size %d', (size) => {
  expect(withField({ size })().size).toBe(size)
  expect(() => assertDescriptor({ ...minimal, size })).not.toThrow()
})

test.each([-1, 0.5, 2 ** 53, 1e300, '5', null, true, [5]])('B03 refuses size %j', (size) => {
  expect(withField({ size })).toThrow(invalidArgument)
  if (typeof size === 'number') expect(() => assertDescriptor({ ...minimal, size })).toThrow(invalidArgument)
})

test.each(['sha256:../../etc', 'sha256:AAAA', '', null, 5])('B04 refuses digest %j', (digest) => {
  expect(withField({ digest })).toThrow(invalidArgument)
  if (typeof digest === 'string')
    expect(() => assertDescriptor({ ...minimal, digest })).toThrow(invalidArgument)
})

test.each(['', 'a b', 'a/b\r\nX: y', 'ä/b', 'a/'.padEnd(256, 'b'), null, 1])(
  'C10 refuses media type %j',
  (mediaType) => {
    expect(withField({ mediaType })).toThrow(invalidArgument)
    if (typeof mediaType === 'string')
      expect(() => assertDescriptor({ ...minimal, mediaType })).toThrow(invalidArgument)
  },
)

test.each<Json>([[], 'x', 5, null, true])('refuses a descriptor that is %j', (json) => {
  expect(() => parseDescriptor(json)).toThrow(invalidArgument)
})

test.each<Record<string, Json>>([
  { annotations: { a: 1 } },
  { annotations: ['a'] },
  { urls: 'https://example.com' },
  { urls: [1] },
  { platform: 'linux' },
  { platform: { os: 1 } },
  { artifactType: 'a b' },
  { data: 5 },
])('refuses a field of another type: %j', (field) => {
  expect(withField(field)).toThrow(invalidArgument)
})

describe('data', () => {
  test.each([
    ['of other content', 'aGVsbE8='],
    ['of another size', 'aGVsbG8h'],
    ['that is not canonical base64', 'aGVsbG8'],
    ['with characters between', 'aGVs bG8='],
    ['that is not base64', 'aGVsb*8='],
  ])('is refused: %s', (_, data) => {
    expect(withField({ data })).toThrow(invalidArgument)
  })

  test('is refused if the size is not its own', () => {
    expect(withField({ data: 'aGVsbG8=', size: 6 })).toThrow(invalidArgument)
  })
})

test('B02 refuses annotations beyond 256 Ki characters', () => {
  const annotations = (length: number) => ({ annotations: { key: 'x'.repeat(length - 3) } })
  expect(withField(annotations(262_144))).not.toThrow()
  expect(withField(annotations(262_145))).toThrow(invalidArgument)
})

test.each(['MediaType', 'DIGEST', 'ſize', 'Size', 'uRLs'])('B05 refuses a field named %s', (key) => {
  expect(withField({ [key]: 'x' })).toThrow(invalidArgument)
})
