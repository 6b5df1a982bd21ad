import { expect, it } from 'vitest'
import { wholeReference } from './image-reference.ts'
import { layersOf, manifestsOf } from './manifest.ts'
import { sharers, sharingOf } from './sharing.ts'

it('takes of a document only what has a digest and a size', () => {
  const layer = { digest: 'sha256:a', size: 3, mediaType: 't' }
  const layers = [layer, null, { digest: 7, size: 1 }, { digest: 'sha256:b', size: -1 }, { size: 3 }]
  expect(layersOf({ layers })).toEqual([{ ...layer, platform: undefined }])
  expect(
    manifestsOf({ manifests: [{ ...layer, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }] }),
  ).toEqual([{ ...layer, platform: 'linux/arm/v7' }])
  expect([null, 'text', {}, { layers: 1 }].map(layersOf)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

it('tells which other images have a layer', () => {
  const image = (namespace: string, name: string, ...digests: string[]) => ({
    ...{ namespace, name, layers: digests.map((digest) => ({ digest })) },
  })
  const [one, two, three] = [image('a', 'i', 'x', 'x', 'y'), image('b', 'i', 'x'), image('a', 'j', 'z')]
  const sharing = sharingOf([one, two, three])
  expect(sharers(sharing, 'x', one)).toEqual([two])
  expect(sharers(sharing, 'y', one)).toEqual([])
})

it.each([
  ['alpine', 'docker.io/library/alpine:latest'],
  ['me/app:1', 'docker.io/me/app:1'],
  ['localhost/app', 'localhost/app:latest'],
  ['127.0.0.1:5000/app', '127.0.0.1:5000/app:latest'],
  [' quay.io/a/b@sha256:0 ', 'quay.io/a/b@sha256:0'],
  ['two words', undefined],
])('%j is the whole name %s', (text, reference) => {
  expect(wholeReference(text)).toBe(reference)
})
