import { expect, test } from 'vitest'
import { digestOf } from './digest.ts'
import { childGcLabels } from './gc-label.ts'
import { mediaTypes } from './media-type.ts'

const child = (mediaType: string, content: string) => ({ mediaType, digest: digestOf(content) })

test('children of a manifest are numbered apart by kind', () => {
  const children = [
    child(mediaTypes.ociConfig, 'config'),
    child(mediaTypes.ociLayerGzip, 'l0'),
    child('application/vnd.in-toto+json', 'o0'),
    child(mediaTypes.dockerLayerGzip, 'l1'),
    child('text/plain', 'o1'),
  ]
  expect(childGcLabels(children)).toEqual({
    'containerd.io/gc.ref.content.config': digestOf('config'),
    'containerd.io/gc.ref.content.l.0': digestOf('l0'),
    'containerd.io/gc.ref.content.l.1': digestOf('l1'),
    'containerd.io/gc.ref.content.0': digestOf('o0'),
    'containerd.io/gc.ref.content.1': digestOf('o1'),
  })
})

test('children of an index are manifests, even where they are indexes', () => {
  expect(childGcLabels([child(mediaTypes.ociManifest, 'a'), child(mediaTypes.ociIndex, 'b')])).toEqual({
    'containerd.io/gc.ref.content.m.0': digestOf('a'),
    'containerd.io/gc.ref.content.m.1': digestOf('b'),
  })
})

test('no child is lost, not even a second config', () => {
  expect(childGcLabels([child(mediaTypes.ociConfig, 'a'), child(mediaTypes.dockerConfig, 'b')])).toEqual({
    'containerd.io/gc.ref.content.config': digestOf('a'),
    'containerd.io/gc.ref.content.config1': digestOf('b'),
  })
})
