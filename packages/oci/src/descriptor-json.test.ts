import { expect, it } from 'vitest'
import { type Descriptor, parseDescriptor } from './descriptor.ts'
import { descriptorJson } from './descriptor-json.ts'
import { digestOf } from './digest.ts'
import { parseStrictJson } from './strict-json.ts'

it('writes what parseDescriptor reads', () => {
  const whole: Descriptor = {
    mediaType: 'a/b',
    digest: digestOf('x'),
    size: 1,
    urls: ['https://example.com'],
    annotations: { a: 'b' },
    data: 'eA==',
    platform: { os: 'linux', architecture: 'arm', variant: 'v7', osVersion: '1', osFeatures: ['f'] },
    artifactType: 'c/d',
  }
  for (const descriptor of [whole, { mediaType: 'a/b', digest: digestOf('x'), size: 1 }]) {
    const bytes = Buffer.from(JSON.stringify(descriptorJson(descriptor)))
    expect(parseDescriptor(parseStrictJson(bytes, 'descriptor'))).toEqual(descriptor)
  }
})

it('makes the same bytes of annotations in another order', () => {
  const descriptor = { mediaType: 'a/b', digest: digestOf('x'), size: 1 }
  const [one, two] = [
    { a: '1', b: '2' },
    { b: '2', a: '1' },
  ].map((annotations) => JSON.stringify(descriptorJson({ ...descriptor, annotations })))
  expect(one).toBe(two)
})
