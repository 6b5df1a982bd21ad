import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { readBlob } from '@nsbox/core/content'
import { type Descriptor, digestOf, mediaTypes, parseManifest } from '@nsbox/oci'
import { describe, expect, it, test } from 'vitest'
import { dockerEntries, plainLayer } from '../testing/archive-bytes.ts'
import { openStores, type TestStores } from '../testing/open-stores.ts'
import { blobsOf, importInto } from '../testing/prepared-import.ts'

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
    expect(await blobsOf(it)).toHaveLength(4)
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
    expect(await blobsOf(it)).toHaveLength(4)
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
