import { attempt, fuzz, mutatedBytes, mutatedJson, shown } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { expect } from 'vitest'
import { parseDescriptor } from './descriptor.ts'
import { descriptorJson } from './descriptor-json.ts'
import { digestOf, isDigest } from './digest.ts'
import { parseDockerArchive } from './docker-archive.ts'
import { maxDescriptors } from './document.ts'
import { parseImageConfig } from './image-config.ts'
import { imageConfigJson } from './image-config-json.ts'
import { checkImageLayout } from './image-layout.ts'
import { parseIndex } from './index-document.ts'
import { parseManifest } from './manifest.ts'
import { isConfig, isIndex, isManifest, mediaTypes } from './media-type.ts'
import { parseStrictJson } from './strict-json.ts'

const layer = {
  mediaType: mediaTypes.ociLayerGzip,
  digest: digestOf('layer'),
  size: 1234,
  annotations: { 'org.example/x': 'y' },
  urls: ['https://example.com/layer'],
}
const config = { mediaType: mediaTypes.ociConfig, digest: digestOf('config'), size: 567, data: 'e30=' }
const manifest = {
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  artifactType: 'application/x',
  config,
  layers: [layer, { ...layer, mediaType: mediaTypes.dockerLayerGzip }],
  subject: { mediaType: mediaTypes.ociManifest, digest: digestOf('subject', 'sha512'), size: 1 },
  annotations: { a: 'b' },
}
const platform = { os: 'linux', architecture: 'arm', variant: 'v7', 'os.version': '1', 'os.features': ['x'] }
const index = {
  schemaVersion: 2,
  mediaType: mediaTypes.ociIndex,
  manifests: [
    { mediaType: mediaTypes.ociManifest, digest: digestOf('a'), size: 1, platform },
    { mediaType: mediaTypes.dockerManifest, digest: digestOf('b'), size: 2 },
  ],
  annotations: { 'io.containerd.image.name': 'docker.io/library/a:b' },
}
const imageConfig = {
  created: '2026-01-02T03:04:05.678Z',
  architecture: 'amd64',
  os: 'linux',
  variant: 'v2',
  config: {
    User: '1:2',
    Env: ['PATH=/bin', 'A='],
    Entrypoint: ['/bin/sh'],
    Cmd: ['-c', 'true'],
    Volumes: { '/data': {} },
    WorkingDir: '/srv',
    Labels: { a: 'b' },
    StopSignal: 'SIGINT',
    ExposedPorts: { '80/tcp': {} },
  },
  rootfs: { type: 'layers', diff_ids: [digestOf('1'), digestOf('2')] },
  history: [{ created_by: 'x', empty_layer: true }],
}
const archive = [{ Config: 'a.json', RepoTags: ['redis:7'], Layers: ['1/layer.tar', '2/layer.tar'] }]
const documents = [manifest, index, imageConfig, archive, { imageLayoutVersion: '1.0.0' }]
const bytesOf = (document: unknown) => Buffer.from(JSON.stringify(document))

/** As values, so that the input is valid JSON, or as bytes. */
const mutatedDocument = fc.oneof(
  mutatedJson(documents).map((value) => shown(bytesOf(value))),
  mutatedBytes(
    documents.map((value) => shown(bytesOf(value))),
    {
      dictionary: ['"', '{', '}', '[', ']', ',', '\\u', '\\', 'null', '1e9'],
    },
  ),
)

fuzz('B05 strict JSON gives what JSON.parse gives, or refuses', mutatedDocument, (bytes) => {
  const { outcome, value } = attempt(() => parseStrictJson(bytes, 'document'))
  if (outcome !== 'accepted') return outcome
  expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(bytes.toString())))
  return outcome
})

fuzz(
  'B05 strict JSON with exact integers differs from JSON.parse in these alone',
  mutatedDocument,
  (bytes) => {
    const { outcome, value } = attempt(() => parseStrictJson(bytes, 'document', { bigIntegers: true }))
    expect(outcome).toBe(attempt(() => parseStrictJson(bytes, 'document')).outcome)
    if (outcome !== 'accepted') return outcome
    const rounded = JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? Number(each) : each))
    expect(rounded).toBe(JSON.stringify(JSON.parse(bytes.toString())))
    return outcome
  },
)

const isWholeDescriptor = (descriptor: { digest: string; size: number; mediaType: string }) => {
  expect(isDigest(descriptor.digest)).toBe(true)
  expect(Number.isSafeInteger(descriptor.size) && descriptor.size >= 0).toBe(true)
  expect(descriptor.mediaType).toMatch(/^[\x21-\x7e]+$/)
}

fuzz(
  'B03 a descriptor that is accepted is whole, and says the same when it is written',
  mutatedJson([layer, config, ...index.manifests]),
  (json) => {
    const { outcome, value } = attempt(() => parseDescriptor(parseStrictJson(bytesOf(json), 'descriptor')))
    if (value === undefined) return outcome
    isWholeDescriptor(value)
    expect(parseDescriptor(parseStrictJson(bytesOf(descriptorJson(value)), 'descriptor'))).toEqual(value)
    return outcome
  },
)

const mediaType = fc.constantFrom(...Object.values(mediaTypes))

fuzz(
  'B01 no document is read as a manifest and as an index, and all that it lists is whole',
  fc.tuple(mutatedDocument, mediaType),
  ([bytes, type]) => {
    const descriptor = { mediaType: type, digest: digestOf(bytes) }
    const asManifest = attempt(() =>
      parseManifest(bytes, { ...descriptor, mediaType: isManifest(type) ? type : mediaTypes.ociManifest }),
    )
    const asIndex = attempt(() =>
      parseIndex(bytes, { ...descriptor, mediaType: isIndex(type) ? type : mediaTypes.ociIndex }),
    )
    if (asManifest.value !== undefined && asIndex.value !== undefined)
      // A document with neither config nor manifests is an empty index, and no manifest.
      expect.unreachable('read as both')
    for (const each of [
      asManifest.value?.config,
      ...(asManifest.value?.layers ?? []),
      ...(asIndex.value?.manifests ?? []),
    ])
      if (each !== undefined) isWholeDescriptor(each)
    expect(asIndex.value?.manifests.length ?? 0).toBeLessThanOrEqual(maxDescriptors)
    if (!isManifest(type))
      expect(attempt(() => parseManifest(bytes, descriptor)).outcome).toBe('invalid_argument')
    if (!isIndex(type)) expect(attempt(() => parseIndex(bytes, descriptor)).outcome).toBe('invalid_argument')
    return asManifest.value !== undefined || asIndex.value !== undefined ? 'accepted' : 'invalid_argument'
  },
)

fuzz('an image config that is accepted can be written and says the same', mutatedDocument, (bytes) => {
  const descriptor = { mediaType: mediaTypes.ociConfig, digest: digestOf(bytes) }
  const { outcome, value } = attempt(() => parseImageConfig(bytes, descriptor))
  if (value === undefined) return outcome
  expect(isConfig(descriptor.mediaType)).toBe(true)
  expect(value.diffIds.every(isDigest)).toBe(true)
  const written = attempt(() => imageConfigJson(value, { createdBy: 'test' }))
  // A variable without a name is accepted when it is read, and refused when it is used.
  if (written.value === undefined) return 'accepted, not written'
  const again = bytesOf(written.value)
  expect(parseImageConfig(again, { ...descriptor, digest: digestOf(again) })).toEqual(value)
  return outcome
})

fuzz('documents of archives are read as what they say', mutatedDocument, (bytes) => {
  const layout = attempt(() => checkImageLayout(bytes))
  if (layout.outcome === 'accepted') expect(JSON.parse(bytes.toString()).imageLayoutVersion).toBe('1.0.0')
  const { outcome, value } = attempt(() => parseDockerArchive(bytes))
  for (const image of value ?? []) {
    expect(image.config).not.toBe('')
    for (const text of [image.config, ...image.layers, ...image.repoTags]) expect(typeof text).toBe('string')
  }
  return outcome
})
