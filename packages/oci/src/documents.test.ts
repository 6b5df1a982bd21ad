import { describe, expect, test } from 'vitest'
import { digestOf } from './digest.ts'
import { maxDescriptors, maxDocumentSize } from './document.ts'
import { parseImageConfig } from './image-config.ts'
import { parseIndex } from './index-document.ts'
import { parseManifest } from './manifest.ts'
import { mediaTypes } from './media-type.ts'

const refused = (about: string) =>
  expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(about) })
const digest = digestOf('document')
const bytes = (document: unknown): Uint8Array =>
  Buffer.from(typeof document === 'string' ? document : JSON.stringify(document))

const config = { mediaType: mediaTypes.ociConfig, digest: digestOf('config'), size: 6 }
const layer = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf('layer'), size: 5 }
const child = {
  mediaType: mediaTypes.ociManifest,
  digest,
  size: 8,
  platform: { os: 'linux', architecture: 'amd64' },
}
const manifest = (document: unknown, mediaType: string = mediaTypes.ociManifest) =>
  parseManifest(bytes(document), { mediaType, digest })
const index = (document: unknown, mediaType: string = mediaTypes.ociIndex) =>
  parseIndex(bytes(document), { mediaType, digest })

describe('a manifest', () => {
  test('of OCI is read', () => {
    const document = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType: 'application/vnd.example',
      config,
      layers: [layer, layer],
      subject: child,
      annotations: { a: 'b' },
    }
    const { schemaVersion, ...rest } = document
    expect(manifest(document)).toEqual(rest)
  })

  test('of Docker is read', () => {
    const document = { schemaVersion: 2, mediaType: mediaTypes.dockerManifest, config, layers: [layer] }
    expect(manifest(document, mediaTypes.dockerManifest).layers).toEqual([layer])
  })

  test('need not say its media type', () => {
    expect(manifest({ schemaVersion: 2, config, layers: [] }).mediaType).toBe(mediaTypes.ociManifest)
  })

  test.each([undefined, null])('may have no layers: %s', (layers) => {
    expect(manifest({ config, layers }).layers).toEqual([])
  })

  test.each([
    ['without config', { layers: [layer] }],
    ['of schema version 1', { schemaVersion: 1, config, layers: [layer] }],
    ['with a bad layer', { config, layers: [{ ...layer, size: -1 }] }],
    ['with layers that are no list', { config, layers: layer }],
    ['that is a list', [config]],
    ['that is no JSON', 'hello'],
  ])('%s is refused, naming its digest', (_, document) => {
    expect(() => manifest(document)).toThrow(refused(digest))
  })
})

describe('an index', () => {
  test('of OCI is read', () => {
    const document = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      artifactType: 'application/vnd.example',
      manifests: [child],
      subject: child,
      annotations: { a: 'b' },
    }
    const { schemaVersion, ...rest } = document
    expect(index(document)).toEqual(rest)
  })

  test('of Docker is read', () => {
    const document = { schemaVersion: 2, mediaType: mediaTypes.dockerManifestList, manifests: [child] }
    expect(index(document, mediaTypes.dockerManifestList).manifests).toEqual([child])
  })

  test('may be empty', () => {
    expect(index({ schemaVersion: 2, manifests: [] }).manifests).toEqual([])
  })

  test('with a bad manifest is refused, naming its digest', () => {
    expect(() => index({ manifests: [child, { ...child, digest: 'sha256:x' }] })).toThrow(refused(digest))
  })
})

describe('B01 a document that could be read as something else is refused', () => {
  test.each([
    ['a manifest with manifests', () => manifest({ config, layers: [layer], manifests: [] })],
    ['a manifest with Manifests', () => manifest({ config, layers: [layer], Manifests: [child] })],
    ['a manifest with fsLayers', () => manifest({ config, layers: [layer], fsLayers: [] })],
    ['an index with layers', () => index({ manifests: [child], layers: [] })],
    ['an index with LAYERS', () => index({ manifests: [child], LAYERS: [layer] })],
    ['an index with a config', () => index({ manifests: [child], config })],
    ['a manifest that says index', () => manifest({ mediaType: mediaTypes.ociIndex, config, layers: [] })],
    ['an index that says manifest', () => index({ mediaType: mediaTypes.ociManifest, manifests: [] })],
    [
      'a manifest of OCI that says Docker',
      () => manifest({ mediaType: mediaTypes.dockerManifest, config, layers: [] }),
    ],
    ['an index as manifest', () => manifest({ config, layers: [] }, mediaTypes.ociIndex)],
    ['a manifest as index', () => index({ manifests: [] }, mediaTypes.ociManifest)],
    ['a layer as manifest', () => manifest({ config, layers: [] }, mediaTypes.ociLayer)],
  ])('%s', (_, parse) => {
    expect(parse).toThrow(refused(digest))
  })

  test('Docker schema 1, by name', () => {
    const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws'
    expect(() => manifest({ schemaVersion: 1, fsLayers: [] }, type)).toThrow(refused('no longer supported'))
  })
})

describe('B02 documents are bounded', () => {
  const filler = (size: number): string => {
    const document = JSON.stringify({ config, layers: [], manifests: undefined })
    return document + ' '.repeat(size - document.length)
  }

  test('in size', () => {
    expect(() => manifest(filler(maxDocumentSize))).not.toThrow()
    expect(() => manifest(filler(maxDocumentSize + 1))).toThrow(refused(digest))
    const descriptor = { digest }
    expect(() => parseImageConfig(Buffer.alloc(maxDocumentSize + 1, ' '), descriptor)).toThrow(
      refused(digest),
    )
  })

  test('in the number of layers and manifests', () => {
    const many = <T>(descriptor: T) => Array<T>(maxDescriptors + 1).fill(descriptor)
    expect(() => manifest({ config, layers: many(layer) })).toThrow(refused(digest))
    expect(() => index({ manifests: many(layer) })).toThrow(refused(digest))
    expect(index({ manifests: many(layer).slice(1) }).manifests).toHaveLength(maxDescriptors)
  })
})

describe('an image config', () => {
  const parse = (document: unknown) => parseImageConfig(bytes(document), { digest })
  const diffIds = [digestOf('a'), digestOf('b')]

  test('is read', () => {
    const document = {
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
      created: '2024-01-01T00:00:00Z',
      rootfs: { type: 'layers', diff_ids: diffIds },
      config: {
        User: '1000:1000',
        Env: ['PATH=/bin'],
        Entrypoint: ['/init'],
        Cmd: ['sh'],
        WorkingDir: '/srv',
        StopSignal: 'SIGTERM',
        Labels: { a: 'b', A: 'B' },
        Volumes: { '/data': {} },
        ExposedPorts: { '80/tcp': {} },
      },
      history: [{ created_by: 'x' }],
    }
    expect(parse(document)).toEqual({
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      diffIds,
      config: {
        user: '1000:1000',
        env: ['PATH=/bin'],
        entrypoint: ['/init'],
        cmd: ['sh'],
        workingDir: '/srv',
        stopSignal: 'SIGTERM',
        labels: { a: 'b', A: 'B' },
        volumes: ['/data'],
      },
    })
  })

  test('of an artifact says nothing', () => {
    const nothing = { env: [], entrypoint: [], cmd: [], labels: {}, volumes: [] }
    expect(parse({})).toEqual({ diffIds: [], config: nothing })
  })

  test.each([
    ['a bad diff id', { rootfs: { type: 'layers', diff_ids: [digestOf('a'), 'sha256:../x'] } }],
    ['a rootfs of another type', { rootfs: { type: 'base', diff_ids: [] } }],
    ['a variable that is no text', { config: { Env: [1] } }],
    ['a label that is no text', { config: { Labels: { a: {} } } }],
    ['a user that is a number', { config: { User: 0 } }],
    ['a field in two spellings', { config: { User: 'nobody', user: 'root' } }],
    ['no object', []],
  ])('is refused, naming its digest: %s', (_, document) => {
    expect(() => parse(document)).toThrow(refused(digest))
  })

  test('B05 has labels without a prototype', () => {
    const { labels } = parse('{"config":{"Labels":{"__proto__":"x"}}}').config
    expect(Object.keys(labels)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(labels)).toBeNull()
    expect(Object.getPrototypeOf(parse({}).config.labels)).toBeNull()
  })
})
