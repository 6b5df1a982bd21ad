import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type Descriptor, digestHex, digestOf, mediaTypes, parsePlatform } from '@nsbox/oci'
import {
  type BuiltImage,
  buildImage,
  filesLayer,
  type ImageSpec,
  randomLayer,
  runOrThrow,
  tar,
  tempDir,
  untar,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkImage } from '../documents/check-image.ts'
import { dockerEntries, plainLayer } from '../testing/archive-bytes.ts'
import { openStores, type TestStores } from '../testing/open-stores.ts'
import { exportImages } from './export-images.ts'
import { exportToDirectory } from './export-to-directory.ts'
import { importImages } from './import-images.ts'

const linux = (architecture: string) => ({ os: 'linux', architecture })
const twoPlatforms: ImageSpec[] = [
  { platform: linux('amd64'), layers: [filesLayer({ one: '1' }), randomLayer(3, 100_000)] },
  { platform: linux('arm64'), layers: [filesLayer({ two: '2' })] },
]
const code = (value: string) => expect.objectContaining({ code: value })

/** Stores that hold an image under a name. */
async function withImage(spec: ImageSpec | ImageSpec[] = twoPlatforms, name = 'docker.io/library/two:1') {
  const stores = await openStores()
  const { layout, target, manifests } = await build(stores, spec)
  const { content, images } = stores.view
  await importImages({ directory: layout }, { content, images, naming: [{ baseName: 'built' }] })
  await images.create({ name, target: target as Descriptor })
  return { ...stores, layout, manifests, image: { name, target: target as Descriptor } }
}

async function build({ path }: TestStores, spec: ImageSpec | ImageSpec[]): Promise<BuiltImage> {
  return await buildImage(join(path, 'layout'), spec, 'built')
}

/** Imports an archive into new stores. @returns the names and digests of all images */
async function roundTrip(
  archive: Uint8Array,
  options: { platforms?: ReturnType<typeof parsePlatform>[] } = {},
) {
  await using other = await openStores()
  const { content, images } = other.view
  const summary = await importImages(Readable.from([archive]), { content, images, ...options })
  for (const { target } of summary.images) {
    expect(await checkImage(content, target, options)).toMatchObject({ status: 'complete' })
  }
  return summary.images.map(({ name, target: { mediaType, digest, size } }) => ({
    name,
    mediaType,
    digest,
    size,
  }))
}

describe('an exported archive', () => {
  it('is imported under the same name with the same digests', async () => {
    await using it = await withImage()
    const archive = await buffer(exportImages([it.image], { content: it.view.content }))
    const { mediaType, digest, size } = it.image.target
    expect(await roundTrip(archive)).toEqual([{ name: it.image.name, mediaType, digest, size }])
  })

  it('is read by tar-stream, entry by entry', async () => {
    await using it = await withImage()
    const { content } = it.view
    const read = await untar(await buffer(exportImages([it.image], { content })))
    const files = read.filter(({ header }) => header.type === 'file')
    const named = files.map(({ header }) => header.name)
    expect(named.slice(-3)).toEqual(['index.json', 'manifest.json', 'oci-layout'])
    const digests = files.slice(0, -3).map((file) => `blobs/sha256/${digestHex(digestOf(file.content))}`)
    expect(named.slice(0, -3)).toEqual(digests)
    expect(digests).toContain(`blobs/sha256/${digestHex(it.image.target.digest)}`)
  })

  it('is the same whenever it is made', async () => {
    await using it = await withImage()
    const { content } = it.view
    const [one, two] = [0, 1].map(() => buffer(exportImages([it.image], { content })))
    expect((await one!).equals(await two!)).toBe(true)
  })

  it('holds the chosen platform alone', async () => {
    await using it = await withImage()
    const { content } = it.view
    const platforms = [parsePlatform('linux/arm64')]
    const archive = await buffer(exportImages([it.image], { content, platforms }))
    expect(await roundTrip(archive, { platforms })).toMatchObject([{ digest: it.image.target.digest }])
    await expect(roundTrip(archive)).rejects.toThrow(code('not_found'))
  })

  it('holds several images and what they share once', async () => {
    await using it = await withImage()
    const { content } = it.view
    const names = ['docker.io/library/two:1', 'docker.io/library/two:2', 'no reference']
    const images = names.map((name) => ({ ...it.image, name }))
    const one = await buffer(exportImages([it.image], { content }))
    const archive = await buffer(exportImages(images, { content }))
    expect(archive.length - one.length).toBeLessThan(4096)
    expect((await roundTrip(archive)).map(({ name }) => name)).toEqual(names)
  })

  it('is not begun where content is missing', async () => {
    await using it = await withImage()
    const { content } = it.view
    const lost = it.manifests[1]!.layers[0]!.digest as Descriptor['digest']
    await content.delete(lost)
    const chunks = exportImages([it.image], { content })
    await expect(chunks.next()).rejects.toMatchObject({
      code: 'not_found',
      context: `image "${it.image.name}": content ${lost}`,
    })
    const platforms = [parsePlatform('linux/amd64')]
    await expect(buffer(exportImages([it.image], { content, platforms }))).resolves.toBeDefined()
    const none = exportImages([it.image], { content, platforms: [parsePlatform('linux/s390x')] })
    await expect(none.next()).rejects.toThrow(code('not_found'))
  })

  it('ends with an error where a blob is damaged', async () => {
    await using it = await withImage()
    const { content } = it.view
    const { digest } = it.manifests[0]!.layers[1]!
    async function* read(wanted: Descriptor['digest'], options: object) {
      for await (const chunk of content.read(wanted, options)) {
        yield wanted === digest ? chunk.map((byte) => byte ^ 1) : chunk
      }
    }
    const info: typeof content.info = (...args) => content.info(...args)
    await expect(buffer(exportImages([it.image], { content: { info, read } }))).rejects.toThrow(
      code('data_loss'),
    )
  })

  it('lacks what may not be distributed where that is asked for', async () => {
    await using it = await withImage({ layers: [filesLayer({ a: 'b' })] })
    const { content, images } = it.view
    const { config, layers } = it.manifests[0]!
    const { digest, size } = layers[0]!
    const foreign = { mediaType: mediaTypes.ociForeignLayerGzip, digest, size }
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [foreign] }))
    await using writer = await content.writer({ ref: 'foreign' })
    await writer.write(bytes)
    const made = await writer.commit()
    const target = { mediaType: mediaTypes.ociManifest, digest: made.digest, size: made.size }
    const image = await images.create({ name: 'f/f:1', target })
    const whole = await buffer(exportImages([image], { content }))
    const less = await buffer(exportImages([image], { content, skipNonDistributable: true }))
    expect(whole.length - less.length).toBe(512 + Math.ceil(size / 512) * 512)
    await using other = await openStores()
    const { content: otherContent, images: otherImages } = other.view
    const imported = await importImages(Readable.from([less]), { content: otherContent, images: otherImages })
    expect(imported.images).toMatchObject([{ target: { digest: made.digest } }])
    expect(await checkImage(otherContent, target)).toMatchObject({ missing: [{ digest }] })
  })

  it('makes no other digests of any image: 20 generated ones', { timeout: 60_000 }, async () => {
    const layer = fc.record({
      name: fc.constantFrom('a', 'b/c', 'ä'),
      content: fc.string({ maxLength: 2000 }),
      compression: fc.constantFrom('gzip' as const, 'none' as const),
    })
    const platform = fc.constantFrom(linux('amd64'), linux('arm64'), linux('s390x'))
    const image = fc.record({ platform, layers: fc.array(layer, { maxLength: 3 }) })
    const shape = fc.oneof(
      image,
      fc.uniqueArray(image, { minLength: 1, maxLength: 3, selector: (i) => i.platform }),
    )
    for (const sample of fc.sample(shape, { numRuns: 20, seed: 5 })) {
      const spec = (Array.isArray(sample) ? sample : [sample]).map(({ platform, layers }) => ({
        platform,
        layers: layers.map(({ name, content, compression }) => ({
          ...filesLayer({ [name]: content }),
          compression,
        })),
      }))
      await using it = await withImage(Array.isArray(sample) ? spec : spec[0]!)
      const archive = await buffer(exportImages([it.image], { content: it.view.content }))
      const { mediaType, digest, size } = it.image.target
      expect(await roundTrip(archive)).toEqual([{ name: it.image.name, mediaType, digest, size }])
    }
  })
})

describe('an exported directory', () => {
  it('is a layout that is imported with the same digests', async () => {
    await using it = await withImage()
    const { content, images } = it.view
    const directory = join(it.path, 'out')
    await mkdir(directory)
    await exportToDirectory([it.image], directory, { content, skipDockerManifest: true })
    expect((await readdir(directory)).sort()).toEqual(['blobs', 'index.json', 'oci-layout'])
    await images.delete(it.image.name)
    const summary = await importImages({ directory }, { content, images })
    expect(summary.images).toMatchObject([
      { name: it.image.name, target: { digest: it.image.target.digest } },
    ])
  })

  it('notes where the image came from, as its labels do', async () => {
    await using it = await withImage()
    const { content } = it.view
    const merge = { 'containerd.io/distribution.source.example.com': 'a,b', other: 'label' }
    await content.update(it.image.target.digest, { merge })
    const directory = join(it.path, 'exported')
    await exportToDirectory([it.image], directory, { content })
    const { manifests } = JSON.parse(await readFile(join(directory, 'index.json'), 'utf8'))
    expect(manifests[0].annotations).toEqual({
      'containerd.io/distribution.source.example.com': 'a,b',
      'io.containerd.image.name': it.image.name,
      'org.opencontainers.image.ref.name': '1',
    })
  })

  it('must be empty, and appears only as a whole', async () => {
    await using it = await withImage()
    const { content } = it.view
    const directory = join(it.path, 'out')
    await mkdir(directory)
    await writeFile(join(directory, 'mine'), 'kept')
    await expect(exportToDirectory([it.image], directory, { content })).rejects.toThrow(
      code('already_exists'),
    )
    expect(await readFile(join(directory, 'mine'), 'utf8')).toBe('kept')
    await content.delete(it.manifests[0]!.config.digest as Descriptor['digest'])
    await expect(exportToDirectory([it.image], join(it.path, 'new'), { content })).rejects.toThrow(
      code('not_found'),
    )
    expect(
      (await readdir(it.path)).filter((name) => name.startsWith('new') || name.includes('partial')),
    ).toEqual([])
  })
})

describeWith({ programs: ['skopeo', 'umoci'] }, 'archives beside skopeo and umoci', () => {
  const archiveFile = async (it: Awaited<ReturnType<typeof withImage>>) => {
    const file = join(it.path, 'exported.tar')
    await writeFile(file, exportImages([it.image], { content: it.view.content }))
    return file
  }
  const skopeo = (...args: string[]) => runOrThrow('skopeo', ['--override-arch', 'amd64', ...args])

  it('are read as oci-archive by skopeo, with all platforms', async () => {
    await using it = await withImage()
    const copy = join(it.path, 'copy')
    await skopeo('copy', '--all', `oci-archive:${await archiveFile(it)}:1`, `oci:${copy}:1`)
    const { manifests } = JSON.parse(await readFile(join(copy, 'index.json'), 'utf8'))
    expect(manifests).toMatchObject([{ digest: it.image.target.digest }])
  })

  it('are read as docker-archive by skopeo', async () => {
    await using it = await withImage({ ...twoPlatforms[0]!, config: { Cmd: ['sh'] } })
    const source = `docker-archive:${await archiveFile(it)}:two:1`
    const { stdout } = await skopeo('inspect', '--config', '--raw', source)
    const { content } = it.view
    expect(stdout).toBe(
      (await buffer(content.read(it.manifests[0]!.config.digest as Descriptor['digest']))).toString(),
    )
    await skopeo('copy', source, `oci:${join(it.path, 'copy')}:1`)
  })

  it('are imported as skopeo writes them', async () => {
    await using it = await withImage()
    const { content, images } = it.view
    const [oci, docker] = [join(it.path, 'oci.tar'), join(it.path, 'docker.tar')]
    await skopeo('copy', '--all', `oci:${it.layout}:built`, `oci-archive:${oci}:v7`)
    await skopeo('copy', `oci:${it.layout}:built`, `docker-archive:${docker}:foo/bar:2`)
    const read = async (file: string) => Readable.from([await readFile(file)])
    const one = await importImages(await read(oci), { content, images, naming: [{ baseName: 'a/b' }] })
    expect(one.images).toMatchObject([{ name: 'a/b:v7', target: { digest: it.image.target.digest } }])
    const two = await importImages(await read(docker), { content, images })
    expect(two.images).toMatchObject([{ name: 'docker.io/foo/bar:2' }])
    expect(await checkImage(content, two.images[0]!.target)).toMatchObject({ status: 'complete' })
  })

  it('are unpacked by umoci as directories', async () => {
    await using it = await withImage({ layers: [filesLayer({ hello: 'world' })] })
    await using out = await tempDir()
    const directory = join(out.path, 'layout')
    await exportToDirectory([it.image], directory, { content: it.view.content })
    const bundle = join(out.path, 'bundle')
    await runOrThrow('umoci', ['unpack', '--rootless', '--image', `${directory}:1`, bundle])
    expect(await readFile(join(bundle, 'rootfs/hello'), 'utf8')).toBe('world')
  })
})

it('exports what was imported from a Docker archive so that Docker can load it', async () => {
  await using it = await openStores()
  const { content, images } = it.view
  const layer = await plainLayer('a', 'b')
  const imported = await importImages(tar(dockerEntries([layer], ['busybox:1', 'busybox:2'])), {
    content,
    images,
  })
  const archive = await buffer(exportImages(imported.images, { content }))
  await writeFile(join(it.path, 'x.tar'), archive)
  const { stdout } = await runOrThrow('tar', ['xOf', join(it.path, 'x.tar'), 'manifest.json'])
  expect(JSON.parse(stdout)).toMatchObject([
    { RepoTags: ['busybox:1', 'busybox:2'], Layers: [expect.any(String)] },
  ])
  expect(await roundTrip(archive)).toMatchObject(
    imported.images.map(({ name, target: { digest } }) => ({ name, digest })),
  )
})
