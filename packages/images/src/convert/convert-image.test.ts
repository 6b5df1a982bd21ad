import { gzipSync } from 'node:zlib'
import { readIndex, readManifest } from '@nsbox/core/content'
import { type Descriptor, type Digest, digestOf, mediaTypes, type Platform } from '@nsbox/oci'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { imageInMemory, type LayerInMemory } from '../testing/image-in-memory.ts'
import { openStores, type TestStores } from '../testing/open-stores.ts'
import { convertImage } from './convert-image.ts'

let stores: TestStores
beforeEach(async () => {
  stores = await openStores()
})
afterEach(() => stores[Symbol.asyncDispose]())

async function put(mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
  const digest = digestOf(bytes)
  await using writer = await stores.view.content.writer({ ref: digest })
  await writer.write(bytes)
  await writer.commit()
  return { mediaType, digest, size: bytes.length }
}

/** Puts an image of layers into the store. */
async function stored(...layers: readonly LayerInMemory[]) {
  const image = imageInMemory(layers)
  for (const bytes of image.blobs.values()) await put('any', bytes)
  return image
}

const index = (manifests: readonly Descriptor[], fields: object = {}) =>
  put(
    mediaTypes.dockerManifestList,
    Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.dockerManifestList, manifests, ...fields }),
    ),
  )
const entries = (name: string) => [{ name, content: name }]
const linux = (architecture: string): Platform => ({ os: 'linux', architecture })
const labelsOf = async (digest: Digest) => ({ ...(await stores.view.content.info(digest)).labels })

it('leaves an image as it is that has the wished form', async () => {
  const { content } = stores.view
  const { target } = await stored({ entries: entries('a') })
  expect(await convertImage(target, { content, oci: true, platforms: [linux('s390x')] })).toEqual(target)
})

it('decompresses layers, however they are compressed and whatever their type says', async () => {
  const { content } = stores.view
  const tar = imageInMemory([{ entries: entries('b') }]).layers[0]!.tar
  const diffId = digestOf(tar)
  const { target, config, layers } = await stored(
    { entries: entries('a') },
    { entries: gzipSync(tar), mediaType: mediaTypes.dockerLayer, diffId },
    { entries: entries('c'), mediaType: mediaTypes.ociLayer },
  )
  const converted = await convertImage(target, { content, uncompress: true })
  const manifest = await readManifest(content, converted)
  expect(manifest.config).toEqual(config)
  expect(manifest.layers).toEqual([
    { mediaType: mediaTypes.ociLayer, digest: layers[0]!.diffId, size: layers[0]!.tar.length },
    { mediaType: mediaTypes.dockerLayer, digest: diffId, size: tar.length },
    { mediaType: mediaTypes.ociLayer, digest: layers[2]!.digest, size: layers[2]!.size },
  ])
  expect(await labelsOf(converted.digest)).toMatchObject({
    'containerd.io/gc.ref.content.config': config.digest,
    'containerd.io/gc.ref.content.l.0': layers[0]!.diffId,
  })
})

it('keeps an index for some of its platforms, and what else it says, with the media types of the OCI', async () => {
  const { content } = stores.view
  const { target, layers } = await stored({ entries: entries('a'), mediaType: mediaTypes.dockerLayerGzip })
  const other = await stored({ entries: entries('b') })
  const list = await index(
    [
      { ...target, platform: linux('amd64') },
      { ...other.target, platform: linux('arm64') },
    ],
    { annotations: { of: 'mine' }, unknown: 'field' },
  )
  const platforms = [linux('amd64')]
  const converted = await convertImage(list, { content, oci: true, platforms })
  expect(converted.mediaType).toBe(mediaTypes.ociIndex)
  const read = await readIndex(content, converted)
  expect(read).toMatchObject({ annotations: { of: 'mine' }, manifests: [{ platform: linux('amd64') }] })
  const manifest = await readManifest(content, read.manifests[0]!)
  expect(manifest.layers).toMatchObject([
    { mediaType: mediaTypes.ociLayerGzip, digest: layers[0]!.digest, size: layers[0]!.size },
  ])
  await expect(convertImage(list, { content, platforms: [linux('s390x')] })).rejects.toMatchObject({
    code: 'not_found',
  })
})

it('lets attestations in an index name what their image has become', async () => {
  const { content } = stores.view
  const { target } = await stored({ entries: entries('a') })
  const attestation = await stored({ entries: entries('b'), mediaType: mediaTypes.ociLayer })
  const ofImage = (digest: string) => ({
    'vnd.docker.reference.digest': digest,
    'vnd.docker.reference.type': 'attestation-manifest',
  })
  const unknown = { os: 'unknown', architecture: 'unknown' }
  const absent = { ...attestation.target, annotations: ofImage(digestOf('absent')) }
  const list = await index([
    { ...attestation.target, platform: unknown, annotations: ofImage(target.digest) },
    { ...target, platform: linux('amd64') },
    absent,
  ])
  const converted = await convertImage(list, { content, uncompress: true })
  const [statement, image, other] = (await readIndex(content, converted)).manifests
  expect(image!.digest).not.toBe(target.digest)
  expect(statement).toMatchObject({ digest: attestation.target.digest, annotations: ofImage(image!.digest) })
  expect(other!.annotations).toEqual(absent.annotations)
})

it.each<[string, string, LayerInMemory]>([
  ['is not what the config says', 'data_loss', { entries: entries('a'), diffId: digestOf('else') }],
  [
    'is damaged',
    'data_loss',
    { entries: gzipSync('a').subarray(0, 15), mediaType: mediaTypes.dockerLayer, diffId: digestOf('a') },
  ],
  ['is wrapped', 'unimplemented', { entries: entries('a'), mediaType: `${mediaTypes.ociLayer}+encrypted` }],
])('B03 makes nothing of a layer that %s', async (_, code, layer) => {
  const { content } = stores.view
  const { target } = await stored(layer)
  const before: Digest[] = []
  for await (const { digest } of content.list()) before.push(digest)
  await expect(convertImage(target, { content, uncompress: true })).rejects.toMatchObject({ code })
  const after: Digest[] = []
  for await (const { digest } of content.list()) after.push(digest)
  expect(after).toEqual(before)
  expect(await content.statuses()).toEqual([])
})

it('takes a decompressed layer from another namespace that has it', async () => {
  const image = await stored({ entries: entries('a') })
  const { content } = stores.view
  const other = stores.metadata.namespace('other').content
  await using writer = await other.writer({ ref: 'tar' })
  await writer.write(image.layers[0]!.tar)
  await writer.commit()
  const converted = await convertImage(image.target, { content, uncompress: true })
  const { layers } = await readManifest(content, converted)
  expect((await content.info(layers[0]!.digest)).size).toBe(image.layers[0]!.tar.length)
})
