import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { readBlob } from '@nsbox/core/content'
import { type Descriptor, digestOf, mediaTypes, parseManifest, parsePlatform } from '@nsbox/oci'
import {
  type BuiltImage,
  buildImage,
  filesLayer,
  type ImageSpec,
  paxHeader,
  randomLayer,
  rawEntry,
  type TarEntry,
  tar,
} from '@nsbox/testing'
import { describe, expect, it, test } from 'vitest'
import { checkImage } from '../documents/check-image.ts'
import { directoryEntries, dockerEntries, plainLayer } from '../testing/archive-bytes.ts'
import { openStores, type TestStores } from '../testing/open-stores.ts'
import type { ImageNaming } from './image-naming.ts'
import { type ImageArchive, type ImportOptions, importImages } from './import-images.ts'

const linux = (architecture: string) => ({ os: 'linux', architecture })
const amd64 = parsePlatform('linux/amd64')
const twoPlatforms: ImageSpec[] = [
  { platform: linux('amd64'), layers: [filesLayer({ one: '1' }), randomLayer(3, 100_000)] },
  { platform: linux('arm64'), layers: [filesLayer({ two: '2' })] },
]

/** A store, a layout in it, and a way to import what stands in an archive. */
async function prepare(spec: ImageSpec | ImageSpec[] = twoPlatforms, tag = 'v1') {
  const stores = await openStores()
  const layout = join(stores.path, 'layout')
  const image = await buildImage(layout, spec, tag)
  return {
    ...stores,
    layout,
    image,
    entries: () => directoryEntries(layout),
    import: (source: ImageArchive | readonly TarEntry[], options: Partial<ImportOptions> = {}) =>
      importInto(stores, source, options),
  }
}

function importInto(
  { view: { content, images } }: TestStores,
  source: ImageArchive | readonly TarEntry[],
  options: Partial<ImportOptions> = {},
) {
  const archive = Array.isArray(source) ? tar(source) : (source as ImageArchive)
  return importImages(archive, { content, images, naming: [{ baseName: 'test/image' }], ...options })
}

async function blobs({ view }: TestStores): Promise<string[]> {
  const found: string[] = []
  for await (const { digest } of view.content.list()) found.push(digest)
  return found
}

const everyDigest = ({ target, manifests }: BuiltImage): Set<string> =>
  new Set(
    [target, ...manifests.flatMap((m) => [m.manifest, m.config, ...m.layers])].map(({ digest }) => digest),
  )

const code = (value: string) => expect.objectContaining({ code: value })

describe('an image layout', () => {
  test.each(['as it is', 'compressed', 'backwards', 'as a directory'])('is imported %s', async (form) => {
    await using it = await prepare()
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
    await using it = await prepare()
    await it.import(await it.entries())
    await it.collect()
    expect(new Set(await blobs(it))).toEqual(everyDigest(it.image))
  })

  it('leaves other platforms to the collector where some are chosen', async () => {
    await using it = await prepare()
    await it.import(await it.entries(), { platforms: [amd64] })
    await it.collect()
    const { content } = it.view
    const target = it.image.target as Descriptor
    expect(await checkImage(content, target, { platforms: [amd64] })).toMatchObject({ status: 'complete' })
    expect(await blobs(it)).not.toContain(it.image.manifests[1]!.layers[0]!.digest)
  })

  it('leaves its layers to the collector on demand', async () => {
    await using it = await prepare({ layers: [filesLayer({ a: 'b' })] })
    await it.import(await it.entries(), { discardLayers: true })
    await it.collect()
    const { manifest, config } = it.image.manifests[0]!
    expect(new Set(await blobs(it))).toEqual(new Set([manifest.digest, config.digest]))
  })

  it('is imported without the content of platforms that are not chosen', async () => {
    await using it = await prepare()
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
    await using it = await prepare()
    const other = { mediaType: mediaTypes.ociManifest, digest: digestOf('other'), size: 5 }
    await it.view.images.create({ name: 'test/image:v1', target: other, labels: { old: '1' } })
    const { images } = await it.import(await it.entries(), { labels: { new: '2' } })
    expect(images).toMatchObject([
      { target: { digest: it.image.target.digest }, labels: { old: '1', new: '2' } },
    ])
  })

  it('is imported into a second namespace without being read', async () => {
    await using it = await prepare()
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
    await using it = await prepare({ layers: [filesLayer({ a: 'b' })] })
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
        content: index({ ...target, annotations: { 'io.containerd.image.name': 'f:1' } }),
      },
    ])
    expect(images).toMatchObject([{ name: 'f:1' }])
  })
})

const index = (...manifests: object[]): string => JSON.stringify({ schemaVersion: 2, manifests })

describe('names of imported images', () => {
  const named = async (annotations: object | undefined, naming: ImageNaming) => {
    await using it = await prepare({ layers: [filesLayer({ a: 'b' })] })
    const entries = (await it.entries()).filter(({ name }) => name !== 'index.json')
    const content = index({ ...it.image.target, annotations })
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
    await using it = await prepare({ layers: [filesLayer({ a: 'b' })] })
    const entries = (await it.entries()).filter(({ name }) => name !== 'index.json')
    const content = index(it.image.target)
    const { images } = await it.import([...entries, { name: 'index.json', content }], {
      indexNames: () => ['all'],
    })
    expect(images).toMatchObject([
      { name: 'all', target: { mediaType: mediaTypes.ociIndex, digest: digestOf(content) } },
    ])
    await it.collect()
    expect(new Set(await blobs(it))).toEqual(everyDigest(it.image).add(digestOf(content)))
  })

  it('are left out where the image is for another platform', async () => {
    await using it = await prepare({ layers: [filesLayer({ a: 'b' })] })
    const entries = (await it.entries()).filter(({ name }) => name !== 'index.json')
    const { target } = it.image
    const content = index(
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

describe('a Docker archive', () => {
  const layers = Promise.all([plainLayer('one', '1'), plainLayer('two', '2'.repeat(100_000))])

  async function manifestOf({ view }: TestStores, target: Descriptor) {
    return parseManifest(await readBlob(view.content, target, { limit: 10_000 }), target)
  }

  it('is imported under the names of its tags', async () => {
    await using it = await openStores()
    const { images } = await importInto(it, dockerEntries(await layers, ['redis:7', 'localhost:5000/r:1']))
    expect(images.map(({ name }) => name)).toEqual(['docker.io/library/redis:7', 'localhost:5000/r:1'])
    const target = images[0]!.target
    expect(target.annotations).toEqual({
      'io.containerd.image.name': 'docker.io/library/redis:7',
      'org.opencontainers.image.ref.name': '7',
    })
    const manifest = await manifestOf(it, target)
    expect(manifest.config.mediaType).toBe(mediaTypes.dockerConfig)
    expect(manifest.layers).toMatchObject(
      (await layers).map((layer) => ({
        mediaType: mediaTypes.dockerLayer,
        digest: digestOf(layer),
        size: layer.length,
      })),
    )
    await it.collect()
    expect(await blobs(it)).toHaveLength(4)
  })

  it('has its layers compressed on demand', async () => {
    await using it = await openStores()
    const { images } = await importInto(it, dockerEntries(await layers, ['r:1']), { compressBlobs: true })
    const manifest = await manifestOf(it, images[0]!.target)
    for (const [index, layer] of manifest.layers.entries()) {
      expect(layer.mediaType).toBe(mediaTypes.dockerLayerGzip)
      const diffId = digestOf((await layers)[index]!)
      const { labels } = await it.view.content.info(layer.digest)
      expect(labels).toMatchObject({ 'containerd.io/uncompressed': diffId })
    }
    await it.collect()
    expect(await blobs(it)).toHaveLength(4)
  })

  it('may have compressed layers', async () => {
    await using it = await openStores()
    const stored = (await layers).map((layer) => gzipSync(layer))
    const entries = dockerEntries(await layers, ['r:1'], stored)
    const { images } = await importInto(it, entries, { compressBlobs: true })
    const manifest = await manifestOf(it, images[0]!.target)
    expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual(
      Array(2).fill(mediaTypes.dockerLayerGzip),
    )
  })

  test.each(['symlink', 'hardlink'] as const)('may name a layer by a %s', async (type) => {
    await using it = await openStores()
    const layer = (await layers)[1]!
    const entries = dockerEntries([layer, layer], ['r:1']).filter(({ name }) => name !== 'layer1/layer.tar')
    const target = type === 'symlink' ? '../layer0/layer.tar' : 'layer0/layer.tar'
    const { images } = await importInto(it, [{ type, name: 'layer1/layer.tar', target }, ...entries])
    const manifest = await manifestOf(it, images[0]!.target)
    expect(manifest.layers.map(({ digest }) => digest)).toEqual([digestOf(layer), digestOf(layer)])
  })

  it('is imported from a directory', async () => {
    await using it = await openStores()
    const directory = join(it.path, 'saved')
    for (const entry of dockerEntries(await layers, ['r:1'])) {
      if (!('content' in entry)) continue
      await mkdir(dirname(join(directory, entry.name)), { recursive: true })
      await writeFile(join(directory, entry.name), entry.content as string)
    }
    await symlink('/etc/passwd', join(directory, 'outside'))
    const { images } = await importInto(it, { directory })
    expect(images).toMatchObject([{ name: 'docker.io/library/r:1' }])
  })
})

describe('a hostile archive', () => {
  /** Imports entries in place of others of a good image layout; nothing may be recorded. */
  async function refusedWith(expected: string, change: (entries: TarEntry[], it: BuiltImage) => TarEntry[]) {
    await using it = await prepare({ layers: [filesLayer({ a: 'b' })] })
    const entries = change(await it.entries(), it.image)
    await expect(it.import(entries)).rejects.toThrow(code(expected))
    expect(await it.view.images.list()).toEqual([])
    expect(await it.view.content.statuses()).toEqual([])
  }
  const replaced = (entries: TarEntry[], name: string, content: string) => [
    ...entries.filter((entry) => entry.name !== name),
    { name, content },
  ]

  it('has a blob that is not what its name says', async () => {
    await refusedWith('data_loss', (entries, { manifests }) =>
      replaced(entries, `blobs/sha256/${manifests[0]!.layers[0]!.digest.slice(7)}`, 'something else'),
    )
  })

  test.each(['layer', 'config', 'manifest'] as const)('lacks its %s', async (what) => {
    await refusedWith('not_found', (entries, { manifests: [image] }) => {
      const lost = what === 'layer' ? image!.layers[0]! : image![what]
      return entries.filter(({ name }) => !name.endsWith(lost.digest.slice(7)))
    })
  })

  test.each(['oci-layout', 'index.json'])('lacks %s', async (what) => {
    await refusedWith('invalid_argument', (entries) => entries.filter(({ name }) => name !== what))
  })

  it('B01 has an index that could be read as a manifest', async () => {
    await refusedWith('invalid_argument', (entries, { target, manifests: [image] }) =>
      replaced(
        entries,
        'index.json',
        JSON.stringify({ manifests: [target], config: image!.config, layers: [] }),
      ),
    )
  })

  it('B02 has documents that are too big', async () => {
    for (const name of ['index.json', 'manifest.json', 'oci-layout']) {
      await refusedWith('resource_exhausted', (entries) => replaced(entries, name, ' '.repeat(4_200_000)))
    }
    const big = ' '.repeat(4_200_000)
    await refusedWith('resource_exhausted', (entries) => [
      ...replaced(
        entries,
        'index.json',
        index(named({ mediaType: mediaTypes.ociManifest, digest: digestOf(big), size: big.length })),
      ),
      { name: `blobs/sha256/${digestOf(big).slice(7)}`, content: big },
    ])
  })

  describe('E04 asks for more memory than', () => {
    /** An archive that begins with links of such long names and targets. */
    async function* afterLinks(count: number, length: number, entries: readonly TarEntry[]) {
      for (let index = 0; index < count; index++) {
        const text = String(index).padEnd(length, 'n')
        yield paxHeader([
          ['path', text],
          ['linkpath', `t${text.slice(1)}`],
        ])
        yield rawEntry({ name: 'link', type: '2', linkName: 'target' })
      }
      yield* tar(entries)
    }

    async function importAfter(count: number, length: number) {
      await using it = await prepare({ layers: [filesLayer({ a: 'b' })] })
      await it.import(afterLinks(count, length, await it.entries()))
      return await it.view.images.list()
    }

    it('a name or link may have', async () => {
      await expect(importAfter(1, 260_000)).rejects.toThrow(code('resource_exhausted'))
      await expect(importAfter(1, 4097)).rejects.toThrow(code('resource_exhausted'))
    })

    it('all names and links may have', async () => {
      expect(await importAfter(900, 4000)).toHaveLength(1)
      await expect(importAfter(1100, 4000)).rejects.toThrow(code('resource_exhausted'))
    })
  })

  it('B03 has a descriptor with another size than the blob', async () => {
    await refusedWith('data_loss', (entries, { target }) =>
      replaced(entries, 'index.json', index(named({ ...target, size: target.size + 1 }))),
    )
    await refusedWith('invalid_argument', (entries, { target }) =>
      replaced(entries, 'index.json', index(named({ ...target, size: -1 }))),
    )
  })

  it('B04 has digests that are paths', async () => {
    for (const digest of ['sha256:../../../etc/passwd', 'md5:d41d8cd98f00b204e9800998ecf8427e']) {
      await refusedWith('invalid_argument', (entries, { target }) =>
        replaced(entries, 'index.json', index(named({ ...target, digest }))),
      )
    }
  })

  it('B05 has a key twice', async () => {
    await refusedWith('invalid_argument', (entries, { target }) =>
      replaced(entries, 'index.json', `{"manifests":[],"manifests":[${JSON.stringify(named(target))}]}`),
    )
  })

  it('B06 has indexes that are nested too deep', async () => {
    await refusedWith('invalid_argument', (entries, { target }) => {
      const documents: TarEntry[] = []
      let inner: object = target
      for (let depth = 0; depth < 20; depth++) {
        const content = index(inner)
        const digest = digestOf(content)
        documents.push({ name: `blobs/sha256/${digest.slice(7)}`, content })
        inner = { mediaType: mediaTypes.ociIndex, digest, size: content.length }
      }
      return [...replaced(entries, 'index.json', index(named(inner))), ...documents]
    })
  })

  it('B06 names one blob as a layer and as a manifest, which is complete only as the former', async () => {
    await refusedWith('not_found', (entries, { target, manifests: [image] }) => {
      const { config, layers } = image!
      const lacking = JSON.stringify({
        schemaVersion: 2,
        config,
        layers: [{ ...layers[0], digest: digestOf('x') }],
      })
      const inner = { mediaType: mediaTypes.ociManifest, digest: digestOf(lacking), size: lacking.length }
      const outer = JSON.stringify({
        schemaVersion: 2,
        config,
        layers: [{ ...inner, mediaType: mediaTypes.ociLayer }],
      })
      const first = { ...target, digest: digestOf(outer), size: outer.length }
      const second = { ...inner, annotations: { 'io.containerd.image.name': 'second' } }
      return [
        ...replaced(entries, 'index.json', index(named(first), second)),
        { name: `blobs/sha256/${inner.digest.slice(7)}`, content: lacking },
        { name: `blobs/sha256/${first.digest.slice(7)}`, content: outer },
      ]
    })
  })

  it('has two images of one name', async () => {
    await refusedWith('invalid_argument', (entries, { target, manifests: [image] }) =>
      replaced(
        entries,
        'index.json',
        index(named(target), named({ ...image!.config, mediaType: mediaTypes.ociManifest })),
      ),
    )
  })

  it('has a target that is no document of an image', async () => {
    await refusedWith('invalid_argument', (entries, { manifests: [image] }) =>
      replaced(entries, 'index.json', index(named(image!.config))),
    )
  })

  it('has two files of one name', async () => {
    await refusedWith('invalid_argument', (entries) => [
      ...entries,
      { name: './index.json', content: index() },
    ])
  })

  it('A01 has names that lead out of it', async () => {
    await refusedWith('invalid_argument', (entries) => [
      ...entries,
      { name: '../index.json', content: index() },
    ])
  })

  it('A15 ends early', async () => {
    await using it = await prepare({ layers: [filesLayer({ a: 'b' })] })
    const whole = await buffer(tar(await it.entries()))
    async function* cut() {
      yield whole.subarray(0, whole.length - 1800)
    }
    await expect(it.import(cut())).rejects.toThrow(code('data_loss'))
    expect(await it.view.content.statuses()).toEqual([])
  })

  it('is a Docker archive with links that go round in a circle or out of it', async () => {
    await using it = await openStores()
    const entries = dockerEntries([await plainLayer('a', 'b')], ['r:1'])
    const without = entries.filter(({ name }) => name !== 'layer0/layer.tar')
    const circle: TarEntry[] = [
      { type: 'symlink', name: 'layer0/layer.tar', target: 'other' },
      { type: 'symlink', name: 'layer0/other', target: 'layer.tar' },
    ]
    await expect(importInto(it, [...without, ...circle])).rejects.toThrow(code('invalid_argument'))
    for (const target of ['../../etc/passwd', '/etc/passwd', 'layer.tar']) {
      const out: TarEntry = { type: 'symlink', name: 'layer0/layer.tar', target }
      const expected = target === 'layer.tar' ? 'invalid_argument' : 'not_found'
      await expect(importInto(it, [...without, out])).rejects.toThrow(code(expected))
    }
  })

  it('is a Docker archive whose layers are not those of its config', async () => {
    await using it = await openStores()
    const [one, two] = [await plainLayer('a', 'b'), await plainLayer('c', 'd')]
    await expect(importInto(it, dockerEntries([one], ['r:1'], [two]))).rejects.toThrow(code('data_loss'))
    await expect(importInto(it, dockerEntries([one], ['r:1'], [one, two]))).rejects.toThrow(
      code('invalid_argument'),
    )
    await expect(importInto(it, dockerEntries([one], ['Bad Name']))).rejects.toThrow(code('invalid_argument'))
    expect(await it.view.images.list()).toEqual([])
  })

  it('is empty', async () => {
    await using it = await prepare()
    await expect(it.import([])).rejects.toThrow(code('invalid_argument'))
    const entries = (await it.entries()).filter(({ name }) => name !== 'index.json')
    await expect(it.import([...entries, { name: 'index.json', content: index() }])).rejects.toThrow(
      code('not_found'),
    )
  })
})

const named = (descriptor: object) => ({
  ...descriptor,
  annotations: { 'org.opencontainers.image.ref.name': 'v1' },
})

it('stops when it is told to, and leaves no ingest', async () => {
  await using it = await prepare()
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
