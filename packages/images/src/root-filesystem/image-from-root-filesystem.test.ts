import { chmod, mkdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import { readBlob } from '@nsbox/core/content'
import { readTar } from '@nsbox/diff/archive'
import { type Descriptor, digestOf, parseImageConfig, parseManifest, parsePlatform } from '@nsbox/oci'
import { compareTrees, readTree, runOrThrow, seededBytes, type TarEntry, tar } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { describe, expect, it, test } from 'vitest'
import { exportToDirectory } from '../archive/export-to-directory.ts'
import { checkImage } from '../documents/check-image.ts'
import { openStores, type TestStores } from '../testing/open-stores.ts'
import { imageFromRootFilesystem, type RootFilesystemOptions } from './image-from-root-filesystem.ts'
import type { RootFilesystem } from './root-filesystem-layer.ts'

const code = (value: string) => expect.objectContaining({ code: value })

function make(it: TestStores, source: RootFilesystem, options: Partial<RootFilesystemOptions> = {}) {
  const { content, images } = it.view
  return imageFromRootFilesystem(source, { content, images, name: 'made/image:1', ...options })
}

/** The parts of an image, read back. */
async function opened({ view: { content } }: TestStores, target: Descriptor) {
  const limit = 10_000_000
  const manifest = parseManifest(await readBlob(content, target, { limit }), target)
  const config = parseImageConfig(await readBlob(content, manifest.config, { limit }), manifest.config)
  const layer = gunzipSync(await readBlob(content, manifest.layers[0]!, { limit }))
  const entries = []
  for await (const { name, type, linkName, size, entry } of readTar(Readable.from([layer]))) {
    const { uid, gid, mode, mtime } = entry
    entries.push({ name, type, linkName, size, uid, gid, mode, seconds: mtime.seconds })
  }
  return { manifest, config, layer, entries }
}

async function tree(path: string): Promise<string> {
  const root = join(path, 'rootfs')
  await mkdir(join(root, 'etc'), { recursive: true })
  await writeFile(join(root, 'etc/hostname'), 'made\n')
  await writeFile(join(root, 'tool'), '#!/bin/sh\n')
  await chmod(join(root, 'tool'), 0o4755)
  await symlink('etc/hostname', join(root, 'link'))
  for (const name of ['etc/hostname', 'tool', 'etc', '.']) await utimes(join(root, name), 1e9, 1e9)
  return root
}

const entries: TarEntry[] = [
  { type: 'directory', name: '.' },
  { type: 'directory', name: './etc', mtime: 5000 },
  { name: './etc/hostname', content: 'made\n', uid: 7, gid: 8, mtime: 5000 },
  { type: 'symlink', name: '/link', target: '../../etc/passwd', mtime: 50 },
  { type: 'hardlink', name: 'again', target: './etc/hostname' },
]

describe('an image of a tar', () => {
  it('has its entries as they are, under clean names', async () => {
    await using it = await openStores()
    const { target } = await make(it, tar(entries))
    const made = await opened(it, target)
    expect(made.entries).toMatchObject([
      { name: './', type: 'directory' },
      { name: 'etc/', type: 'directory', mode: 0o755 },
      { name: 'etc/hostname', type: 'file', size: 5, uid: 7, gid: 8, seconds: 5000 },
      { name: 'link', type: 'symlink', linkName: '../../etc/passwd' },
      { name: 'again', type: 'hardlink', linkName: 'etc/hostname' },
    ])
    expect(made.config.diffIds).toEqual([digestOf(made.layer)])
    const { labels } = await it.view.content.info(made.manifest.layers[0]!.digest)
    expect(labels).toMatchObject({ 'containerd.io/uncompressed': digestOf(made.layer) })
    expect(await checkImage(it.view.content, target)).toMatchObject({ status: 'complete' })
    await it.collect()
    expect(await checkImage(it.view.content, target)).toMatchObject({ status: 'complete' })
  })

  it('is the same for the same tar, compressed or not', async () => {
    await using it = await openStores()
    const big = { size: 5_000_000, chunks: seededBytes(5, 5_000_000) }
    const plain = await buffer(tar([...entries, { name: 'big', content: big }]))
    const one = await make(it, Readable.from([plain]))
    const two = await make(it, Readable.from([gzipSync(plain)]))
    expect(two.target).toEqual(one.target)
    const { layer } = await opened(it, two.target)
    expect(layer.includes(plain.subarray(-5_000_000, -2000))).toBe(true)
  })

  it('has one owner and no late times on demand', async () => {
    await using it = await openStores()
    const { target } = await make(it, tar(entries), {
      owner: { uid: 1, gid: 2 },
      sourceDateEpoch: new Date(100_000),
    })
    const made = await opened(it, target)
    expect(made.entries.map(({ uid, gid }) => [uid, gid])).toEqual(entries.map(() => [1, 2]))
    expect(made.entries.map(({ seconds }) => seconds)).toEqual([0, 100, 100, 50, 0])
    const config = await buffer(it.view.content.read(made.manifest.config.digest))
    expect(JSON.parse(config.toString()).created).toBe('1970-01-01T00:01:40.000Z')
  })

  it('says how it wishes to be run', async () => {
    await using it = await openStores()
    const config = { cmd: ['sh'], env: ['PATH=/bin'], user: '1000', workingDir: '/w', labels: { a: 'b' } }
    const platform = parsePlatform('linux/arm64')
    const { target, labels } = await make(it, tar(entries), { config, platform, labels: { c: 'd' } })
    const made = await opened(it, target)
    expect(made.config).toMatchObject({ platform, config })
    expect(labels).toEqual({ c: 'd' })
  })

  test.each<[string, string, TarEntry]>([
    ['invalid_argument', 'A01 a name that leads out of it', { name: '../x', content: '' }],
    ['invalid_argument', 'A04 a root that is no directory', { type: 'symlink', name: '.', target: '/' }],
    [
      'invalid_argument',
      'A06 a hard link out of it',
      { type: 'hardlink', name: 'x', target: '../../etc/shadow' },
    ],
    ['failed_precondition', 'A10 a name that means a removal', { name: 'etc/.wh.hostname', content: '' }],
  ])('is refused as %s with %s', async (expected, _what, entry) => {
    await using it = await openStores()
    await expect(make(it, tar([...entries, entry]))).rejects.toThrow(code(expected))
    expect(await it.view.images.list()).toEqual([])
    expect(await it.view.content.statuses()).toEqual([])
  })

  it('is refused for a config that makes no sense, before anything is read', async () => {
    await using it = await openStores()
    const made = make(it, tar(entries), { config: { env: ['no value'] } })
    await expect(made).rejects.toThrow(code('invalid_argument'))
  })
})

describeWith({ linux: true, programs: ['skopeo', 'umoci'] }, 'an image of a directory', () => {
  it('is unpacked by umoci to the same tree', async () => {
    await using it = await openStores()
    const root = await tree(it.path)
    const image = await make(it, { directory: root }, { config: { cmd: ['/tool'] } })
    const layout = join(it.path, 'layout')
    await exportToDirectory([image], layout, { content: it.view.content })
    const bundle = join(it.path, 'bundle')
    await runOrThrow('umoci', ['unpack', '--rootless', '--image', `${layout}:1`, bundle])
    expect(compareTrees(await readTree(root), await readTree(join(bundle, 'rootfs')))).toEqual([])
    const { stdout } = await runOrThrow('skopeo', ['inspect', '--config', `oci:${layout}:1`])
    expect(JSON.parse(stdout).config).toEqual({ Cmd: ['/tool'] })
  })

  it('is the same whenever it is made', async () => {
    await using it = await openStores()
    const root = await tree(it.path)
    const one = await make(it, { directory: root })
    const two = await make(it, { directory: root })
    expect(two.target).toEqual(one.target)
    const owned = await make(
      it,
      { directory: root },
      { owner: { uid: 3, gid: 4 }, sourceDateEpoch: new Date(1000) },
    )
    const made = await opened(it, owned.target)
    for (const entry of made.entries) expect(entry).toMatchObject({ uid: 3, gid: 4, seconds: 1 })
  })

  it('cannot be made of what is not there', async () => {
    await using it = await openStores()
    await expect(make(it, { directory: join(it.path, 'nothing') })).rejects.toThrow(code('not_found'))
    await writeFile(join(it.path, 'file'), '')
    await expect(make(it, { directory: join(it.path, 'file') })).rejects.toThrow()
    expect(await it.view.content.statuses()).toEqual([])
  })
})
