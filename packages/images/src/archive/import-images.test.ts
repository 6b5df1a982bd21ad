import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { type Descriptor, digestOf, mediaTypes, parsePlatform } from '@nsbox/oci'
import { filesLayer, type ImageSpec, randomLayer, tar } from '@nsbox/testing'
import { describe, expect, it, test } from 'vitest'
import { checkImage } from '../documents/check-image.ts'
import { blobsOf, everyDigest, importInto, indexOf, prepareImport } from '../testing/prepared-import.ts'
import type { ImageNaming } from './image-naming.ts'
import type { ImageArchive } from './import-images.ts'

const linux = (architecture: string) => ({ os: 'linux', architecture })
const amd64 = parsePlatform('linux/amd64')
const twoPlatforms: ImageSpec[] = [
  { platform: linux('amd64'), layers: [filesLayer({ one: '1' }), randomLayer(3, 100_000)] },
  { platform: linux('arm64'), layers: [filesLayer({ two: '2' })] },
]

const code = (value: string) => expect.objectContaining({ code: value })

describe('an image layout', () => {
  test.each(['as it is', 'compressed', 'backwards', 'as a directory'])('is imported %s', async (form) => {
    await using it = await prepareImport(twoPlatforms)
    const entries = await it.entries()
    const forms: Record<string, () => ImageArchive | Promise<ImageArchive>> = {
      'as it is': () => tar(entries),
      compressed: async () => Readable.from([gzipSync(await buffer(tar(entries)))]),
      backwards: () => tar(entries.reverse()),
      'as a directory': () => ({ directory: it.layout }),
    }
    const { images } = await it.import(await forms[form]!())
    expect(images.map(({ name, target }) => [name, target.digest])).toEqual([
      ['test/image:v1', it.image.target.digest],
    ])
    expect((await it.view.images.get('test/image:v1')).target.digest).toBe(it.image.target.digest)
    expect(await checkImage(it.view.content, it.image.target as Descriptor)).toMatchObject({
      status: 'complete',
    })
  })

  it('is held by its image alone once the lease has ended', async () => {
    await using it = await prepareImport(twoPlatforms)
    await it.import(await it.entries())
    await it.collect()
    expect(new Set(await blobsOf(it))).toEqual(everyDigest(it.image))
  })

  it('leaves other platforms to the collector where some are chosen', async () => {
    await using it = await prepareImport(twoPlatforms)
    await it.import(await it.entries(), { platforms: [amd64] })
    await it.collect()
    const { content } = it.view
    const target = it.image.target as Descriptor
    expect(await checkImage(content, target, { platforms: [amd64] })).toMatchObject({ status: 'complete' })
    expect(await blobsOf(it)).not.toContain(it.image.manifests[1]!.layers[0]!.digest)
  })

  it('leaves its layers to the collector on demand', async () => {
    await using it = await prepareImport({ layers: [filesLayer({ a: 'b' })] })
    await it.import(await it.entries(), { discardLayers: true })
    await it.collect()
    const { manifest, config } = it.image.manifests[0]!
    expect(new Set(await blobsOf(it))).toEqual(new Set([manifest.digest, config.digest]))
  })

  it('is imported without the content of platforms that are not chosen', async () => {
    await using it = await prepareImport(twoPlatforms)
    const { manifests } = it.image
    const lost = manifests[1]!.layers[0]!.digest.slice(7)
    const entries = (await it.entries()).filter(({ name }) => !name.endsWith(lost))
    await it.import(entries, { platforms: [amd64] })
    await expect(it.import(entries)).rejects.toThrow(code('not_found'))
    await expect(it.import(entries, { platforms: [parsePlatform('linux/s390x')] })).rejects.toThrow(
      code('not_found'),
    )
  })

  it('changes an image of its name, whose labels stay', async () => {
    await using it = await prepareImport(twoPlatforms)
    const other = { mediaType: mediaTypes.ociManifest, digest: digestOf('other'), size: 5 }
    await it.view.images.create({ name: 'test/image:v1', target: other, labels: { old: '1' } })
    const { images } = await it.import(await it.entries(), { labels: { new: '2' } })
    expect(images).toMatchObject([
      { target: { digest: it.image.target.digest }, labels: { old: '1', new: '2' } },
    ])
  })

  it('is imported into a second namespace without being read', async () => {
    await using it = await prepareImport(twoPlatforms)
    await it.import(await it.entries())
    const { id } = await it.metadata.namespace('other').leases.create()
    const view = it.metadata.namespace('other', { lease: id })
    const { images } = await importInto({ ...it, view }, await it.entries())
    expect(images).toMatchObject([{ target: { digest: it.image.target.digest } }])
    expect(await checkImage(view.content, it.image.target as Descriptor)).toMatchObject({
      status: 'complete',
    })
  })

  it('may lack layers that may not be distributed', async () => {
    await using it = await prepareImport({ layers: [filesLayer({ a: 'b' })] })
    const { manifest, config, layers } = it.image.manifests[0]!
    const { digest, size } = layers[0]!
    const foreign = {
      mediaType: mediaTypes.ociForeignLayerGzip,
      digest,
      size,
      urls: ['https://example.com/l'],
    }
    const document = JSON.stringify({ schemaVersion: 2, config, layers: [foreign] })
    const target = { mediaType: manifest.mediaType, digest: digestOf(document), size: document.length }
    const entries = (await it.entries()).filter(
      ({ name }) => !name.endsWith(digest.slice(7)) && name !== 'index.json',
    )
    const { images } = await it.import([
      ...entries,
      { name: `blobs/sha256/${target.digest.slice(7)}`, content: document },
      {
        name: 'index.json',
        content: indexOf({ ...target, annotations: { 'io.containerd.image.name': 'f:1' } }),
      },
    ])
    expect(images).toMatchObject([{ name: 'f:1' }])
  })
})

describe('names of imported images', () => {
  const named = async (annotations: object | undefined, naming: ImageNaming) => {
    await using it = await prepareImport({ layers: [filesLayer({ a: 'b' })] })
    const entries = (await it.entries()).filter(({ name }) => name !== 'index.json')
    const content = indexOf({ ...it.image.target, annotations })
    const { images } = await it.import([...entries, { name: 'index.json', content }], {
      naming: [{ baseName: 'test/image', ...naming }],
    })
    return images.map(({ name }) => name.replace(it.image.target.digest, 'DIGEST'))
  }
  const ref = (name: string) => ({ 'org.opencontainers.image.ref.name': name })
  const whole = { ...ref('v1'), 'io.containerd.image.name': 'docker.io/library/whole:v1' }

  test.each<[string, object | undefined, ImageNaming, string[]]>([
    ['a tag is one of the base name', ref('v1'), { baseName: 'a/b' }, ['a/b:v1']],
    ['a reference is whole', ref('c.d/e:2'), { baseName: 'a/b' }, ['c.d/e:2']],
    [
      'a whole name comes first',
      whole,
      { baseName: 'a/b', onlyBaseName: true },
      ['docker.io/library/whole:v1'],
    ],
    ['a reference of the base name stays', ref('a/b:2'), { baseName: 'a/b', onlyBaseName: true }, ['a/b:2']],
    [
      'an image without one can have its digest',
      undefined,
      { digestNames: 'unnamed' },
      ['test/image@DIGEST'],
    ],
    [
      'one with a name can have both',
      ref('v1'),
      { digestNames: 'all' },
      ['test/image:v1', 'test/image@DIGEST'],
    ],
    ['or only the name', ref('v1'), { digestNames: 'unnamed' }, ['test/image:v1']],
    [
      'a reference of another base name is left out',
      ref('a/bc:2'),
      { baseName: 'a/b', onlyBaseName: true, digestNames: 'all' },
      ['a/b@DIGEST'],
    ],
  ])('%s', async (_what, annotations, naming, expected) => {
    expect(await named(annotations, naming)).toEqual(expected)
  })

  it('are missing where nothing gives one, which is an error', async () => {
    await expect(named(undefined, {})).rejects.toThrow(code('not_found'))
    await expect(named(ref('v1'), { baseName: undefined })).rejects.toThrow(code('not_found'))
    await expect(named(ref('c/d:1'), { onlyBaseName: true })).rejects.toThrow(code('not_found'))
  })

  test.each(['a/b:\x1b[2J', `a/b:${'c'.repeat(4100)}`])('are refused as %j', async (name) => {
    await expect(named(ref(name), {})).rejects.toThrow(code('invalid_argument'))
  })

  it('can be given to the whole index, which then holds everything', async () => {
    await using it = await prepareImport({ layers: [filesLayer({ a: 'b' })] })
    const entries = (await it.entries()).filter(({ name }) => name !== 'index.json')
    const content = indexOf(it.image.target)
    const { images } = await it.import([...entries, { name: 'index.json', content }], {
      indexNames: () => ['all'],
    })
    expect(images).toMatchObject([
      { name: 'all', target: { mediaType: mediaTypes.ociIndex, digest: digestOf(content) } },
    ])
    await it.collect()
    expect(new Set(await blobsOf(it))).toEqual(everyDigest(it.image).add(digestOf(content)))
  })

  it('are left out where the image is for another platform', async () => {
    await using it = await prepareImport({ layers: [filesLayer({ a: 'b' })] })
    const entries = (await it.entries()).filter(({ name }) => name !== 'index.json')
    const { target } = it.image
    const content = indexOf(
      { ...target, annotations: ref('here'), platform: linux('amd64') },
      { ...target, annotations: ref('there'), platform: linux('s390x') },
    )
    const summary = await it.import([...entries, { name: 'index.json', content }], { platforms: [amd64] })
    expect(summary).toMatchObject({
      images: [{ name: 'test/image:here' }],
      otherPlatforms: ['test/image:there'],
    })
  })
})

it('stops when it is told to, and leaves no ingest', async () => {
  await using it = await prepareImport(twoPlatforms)
  const whole = await buffer(tar(await it.entries()))
  const controller = new AbortController()
  async function* source() {
    for (let at = 0; at < whole.length; at += 10_000) {
      if (at > 50_000) controller.abort()
      yield whole.subarray(at, at + 10_000)
    }
  }
  await expect(it.import(source(), { signal: controller.signal })).rejects.toThrow(/abort/i)
  expect(await it.view.content.statuses()).toEqual([])
})
