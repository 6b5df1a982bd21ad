import { errorCode } from '@nsbox/errors'
import { type Descriptor, type Digest, digestOf, mediaTypes } from '@nsbox/oci'
import { expect, test } from 'vitest'
import { opaqueBytes, readCheckpoint } from './checkpoint-index.ts'

/** Blobs, and an index of them. */
function store() {
  const blobs = new Map<Digest, Uint8Array>()
  const put = (mediaType: string, bytes: Uint8Array): Descriptor => {
    const digest = digestOf(bytes)
    blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.byteLength }
  }
  return {
    put,
    index: (manifests: Descriptor[], annotations: object, mediaType: string = mediaTypes.ociIndex) =>
      put(mediaType, Buffer.from(JSON.stringify({ schemaVersion: 2, manifests, annotations }))),
    async *read(digest: Digest) {
      yield blobs.get(digest)!
    },
  }
}

const spec = { typeUrl: 'a.Spec', value: Buffer.from('{}') }

test('the parts of a checkpoint are found, whichever of stock’s commands has made it', async () => {
  const content = store()
  const image = content.put(mediaTypes.ociManifest, Buffer.from('image'))
  const rw = content.put(mediaTypes.ociLayerGzip, Buffer.from('files'))
  const memory = content.put(mediaTypes.checkpointCriu, Buffer.from('memory'))
  const config = content.put(mediaTypes.checkpointConfig, opaqueBytes(spec))
  const options = { typeUrl: 'containerd.runc.v1.Options', value: Uint8Array.of(1) }
  const runtimeOptions = content.put(mediaTypes.checkpointRuntimeOptions, opaqueBytes(options))

  const ofContainer = content.index([runtimeOptions, image, rw, memory, config], {
    'org.opencontainers.image.ref.name': 'example.com/image',
    'io.containerd.checkpoint.runtime': 'a.runtime',
    'io.containerd.checkpoint.snapshotter': 'native',
  })
  expect(await readCheckpoint(content, ofContainer)).toEqual({
    ...{ target: ofContainer, image, imageName: 'example.com/image', rw, memory },
    spec: { ...spec, value: Uint8Array.from(spec.value) },
    runtime: { name: 'a.runtime', options },
    snapshotter: 'native',
  })
  const ofTask = content.index([memory, config, image, rw], { 'image.name': 'example.com/image' })
  expect(await readCheckpoint(content, ofTask)).toMatchObject({ imageName: 'example.com/image', memory })
  const ofFiles = content.index([rw], { 'org.opencontainers.image.ref.name': 'example.com/image' })
  expect(await readCheckpoint(content, ofFiles)).toMatchObject({ rw, memory: undefined, spec: undefined })
})

test('D11 what is no checkpoint, or a damaged one, is refused', async () => {
  const content = store()
  const manifest = content.put(mediaTypes.ociManifest, Buffer.from('{}'))
  const memory = content.put(mediaTypes.checkpointCriu, Buffer.from('memory'))
  const config = content.put(mediaTypes.checkpointConfig, Uint8Array.of(0xff))
  const codeOf = (target: Descriptor) => readCheckpoint(content, target).then(() => undefined, errorCode)
  expect(await codeOf(manifest)).toBe('failed_precondition')
  expect(await codeOf(content.index([manifest], {}))).toBe('failed_precondition')
  expect(await codeOf(content.index([memory, config], {}))).toBe('invalid_argument')
  const tooLarge = { ...config, size: 1 << 30 }
  expect(await codeOf(content.index([memory, tooLarge], {}))).toBe('resource_exhausted')
  expect(await codeOf(content.put(mediaTypes.ociIndex, Buffer.from('{')))).toBe('invalid_argument')
  const other = { ...content.index([memory], {}), digest: memory.digest, size: memory.size }
  expect(await codeOf(other)).toBe('invalid_argument')
})
