import { createHash } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { describeWith } from './describe-with.ts'
import { busyboxLayer, filesLayer, randomLayer } from './image-layer.ts'
import { type BuiltImage, buildImage, type TestDescriptor } from './image-layout.ts'
import { run, runOrThrow } from './run.ts'
import { tempDir } from './temp-dir.ts'

const blob = ({ layout }: BuiltImage, { digest }: TestDescriptor) =>
  readFile(join(layout, 'blobs', digest.replace(':', '/')))
const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

it('tells the true digests and sizes of all that it writes', async () => {
  await using dir = await tempDir()
  const layers = [filesLayer({ 'etc/name': 'one' }), randomLayer('r', 3000, 'none')]
  const image = await buildImage(dir.path, { layers })
  const [
    {
      manifest,
      config,
      layers: [files, random],
    },
  ] = image.manifests as [BuiltImage['manifests'][0]]
  for (const descriptor of [image.target, manifest, config, files!, random!]) {
    const bytes = await blob(image, descriptor)
    expect(descriptor).toMatchObject({ digest: sha256(bytes), size: bytes.length })
  }
  expect(files!.diffId).toBe(sha256(gunzipSync(await blob(image, files!))))
  expect(random!.diffId).toBe(random!.digest)
  expect(random!.size).toBeGreaterThan(3000)
})

it('takes an archive that exists as it is', async () => {
  await using dir = await tempDir()
  const archive = join(dir.path, 'archive.tar.gz')
  const bytes = gzipSync('not even a tar', { level: 1 })
  await writeFile(archive, bytes)
  const image = await buildImage(join(dir.path, 'layout'), { layers: [{ archive }] })
  expect(image.manifests[0]?.layers).toEqual([
    {
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: sha256(bytes),
      size: bytes.length,
      diffId: sha256(Buffer.from('not even a tar')),
    },
  ])
})

it('gives the same image for the same specification', async () => {
  await using dir = await tempDir()
  const spec = { layers: [filesLayer({ a: 'b' })], config: { Cmd: ['x'] } }
  const [one, two] = [
    await buildImage(join(dir.path, '1'), spec),
    await buildImage(join(dir.path, '2'), spec),
  ]
  expect(one.target).toEqual(two.target)
})

it('lists several platforms in an index', async () => {
  await using dir = await tempDir()
  const platform = (architecture: string, variant?: string) => ({
    os: 'linux',
    architecture,
    ...(variant ? { variant } : {}),
  })
  const image = await buildImage(dir.path, [
    { layers: [filesLayer({ a: 'amd' })], platform: platform('amd64') },
    { layers: [filesLayer({ a: 'arm' })], platform: platform('arm', 'v7') },
  ])
  const index = JSON.parse((await blob(image, image.target)).toString())
  expect(index.manifests.map((each: TestDescriptor) => each.platform)).toEqual([
    platform('amd64'),
    platform('arm', 'v7'),
  ])
})

describeWith({ root: true, programs: ['umoci', 'busybox', 'chroot'] }, 'an image with busybox', () => {
  it('unpacks with umoci and runs', async () => {
    await using dir = await tempDir()
    const spec = { layers: [await busyboxLayer(), filesLayer({ 'etc/motd': 'hello' })] }
    const image = await buildImage(join(dir.path, 'layout'), spec, 'v1')
    const bundle = join(dir.path, 'bundle')
    await runOrThrow('umoci', ['unpack', '--image', `${image.layout}:v1`, bundle])
    const { stdout } = await run('chroot', [join(bundle, 'rootfs'), '/bin/cat', '/etc/motd'])
    expect(stdout).toBe('hello')
    expect((await stat(join(bundle, 'rootfs/tmp'))).mode & 0o7777).toBe(0o1777)
  })
})
