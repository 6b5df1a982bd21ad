import { expect, test } from 'vitest'
import { refNameAnnotation } from './descriptor.ts'
import { digestOf } from './digest.ts'
import { ingestRef } from './ingest-ref.ts'
import { mediaTypes } from './media-type.ts'

const digest = digestOf('')

test.each([
  [mediaTypes.ociIndex, 'index'],
  [mediaTypes.dockerManifest, 'manifest'],
  [mediaTypes.ociConfig, 'config'],
  [mediaTypes.dockerForeignLayerGzip, 'layer'],
  ['application/vnd.in-toto+json', 'attestation'],
  ['text/plain', 'unknown'],
])('a blob of type %s is ingested as %s', (mediaType, kind) => {
  expect(ingestRef({ mediaType, digest })).toBe(`${kind}-${digest}`)
})

test('a name in the annotations comes before the digest', () => {
  const annotations = { [refNameAnnotation]: 'v1' }
  expect(ingestRef({ mediaType: mediaTypes.ociManifest, digest, annotations })).toBe(`manifest-v1@${digest}`)
})

test('other annotations do not matter', () => {
  expect(ingestRef({ mediaType: mediaTypes.ociLayer, digest, annotations: { a: 'b' } })).toBe(
    `layer-${digest}`,
  )
})
