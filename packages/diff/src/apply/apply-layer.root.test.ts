import { randomBytes } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { digestOf } from '@nsbox/oci'
import {
  busyboxLayer,
  compareTrees,
  type ImageLayer,
  makeOddTree,
  needs,
  readTree,
  runOrThrow,
  tar,
  tempDir,
} from '@nsbox/testing'
import { describe, expect, test } from 'vitest'
import { applyLayer } from './apply-layer.ts'

const layerType = 'application/vnd.oci.image.layer.v1.tar'
const reason = needs({ linux: true, root: true, programs: ['tar', 'umoci', 'setcap', 'python3'] })

async function apply(bytes: Uint8Array, root: string, suffix = '', programs = true) {
  await mkdir(root)
  const path = `${root}.layer`
  await writeFile(path, bytes)
  const layer = { path, size: bytes.length }
  return applyLayer({ layer, mediaType: `${layerType}${suffix}`, root, form: 'plain', programs })
}

describe.skipIf(reason)(`a tree with one of everything (${reason ?? 'as root'})`, () => {
  test.each([
    ['pax', ['--format=pax', '--xattrs', '--xattrs-include=*']],
    ['pax with sparse files 1.0', ['--format=pax', '--sparse', '--xattrs', '--xattrs-include=*']],
    ['pax with sparse files 0.1', ['--format=pax', '--sparse', '--sparse-version=0.1']],
    ['pax with sparse files 0.0', ['--format=pax', '--sparse', '--sparse-version=0.0']],
    ['GNU', ['--format=gnu']],
    ['GNU with sparse files', ['--format=gnu', '--sparse']],
  ])('is extracted from an archive in the format %s as GNU tar extracts it', async (_, format) => {
    await using dir = await tempDir()
    const source = join(dir.path, 'source')
    await makeOddTree(source)
    const archive = join(dir.path, 'archive.tar')
    await runOrThrow('tar', [
      '--create',
      `--file=${archive}`,
      ...format,
      '--numeric-owner',
      '--directory',
      source,
      '.',
    ])
    const theirs = join(dir.path, 'theirs')
    await mkdir(theirs)
    const xattrs = format.includes('--xattrs') ? ['--xattrs', '--xattrs-include=*'] : []
    await runOrThrow('tar', [
      '--extract',
      `--file=${archive}`,
      '--numeric-owner',
      '--same-permissions',
      '--same-owner',
      ...xattrs,
      '--directory',
      theirs,
    ])
    const ours = join(dir.path, 'ours')
    const bytes = await readFile(archive)
    const result = await apply(bytes, ours)
    expect(result).toMatchObject({ implied: [], skipped: [], diffId: digestOf(bytes), size: bytes.length })
    expect(compareTrees(await readTree(ours), await readTree(theirs))).toEqual([])
  })

  test('holes stay holes', async () => {
    await using dir = await tempDir()
    await makeOddTree(join(dir.path, 'source'))
    const archive = join(dir.path, 'archive.tar')
    await runOrThrow('tar', [
      '-cf',
      archive,
      '--format=pax',
      '--sparse',
      '-C',
      join(dir.path, 'source'),
      'sparse',
    ])
    await apply(await readFile(archive), join(dir.path, 'ours'))
    const { size, blocks } = await stat(join(dir.path, 'ours/sparse'))
    expect(size).toBe(5 << 20)
    expect(blocks * 512).toBeLessThan(1 << 20)
  })

  test('is extracted as umoci extracts it', async () => {
    await using dir = await tempDir()
    const source = join(dir.path, 'source')
    await makeOddTree(source)
    const archive = join(dir.path, 'archive.tar')
    await runOrThrow('tar', [
      '-cf',
      archive,
      '--format=pax',
      '--xattrs',
      '--xattrs-include=*',
      '--numeric-owner',
      '-C',
      source,
      '.',
    ])
    const layout = join(dir.path, 'layout')
    await runOrThrow('umoci', ['init', '--layout', layout])
    await runOrThrow('umoci', ['new', '--image', `${layout}:odd`])
    await runOrThrow('umoci', ['raw', 'add-layer', '--image', `${layout}:odd`, archive])
    await runOrThrow('umoci', ['raw', 'unpack', '--image', `${layout}:odd`, join(dir.path, 'theirs')])
    await apply(await readFile(archive), join(dir.path, 'ours'))
    const [ours, theirs] = [await readTree(join(dir.path, 'ours')), await readTree(join(dir.path, 'theirs'))]
    // umoci cuts times beyond the year 2262, the limit of Go's nanoseconds; GNU tar keeps them.
    const ignore = (name: string, field: string) => name === 'usr/lib' && field === 'mtime'
    expect(compareTrees(ours, theirs, { ignore })).toEqual([])
  })

  test.each([
    ['gzip', 'gz'],
    ['zstd', 'zst'],
  ])('comes out of a layer compressed as %s the same', async (format, ending) => {
    await using dir = await tempDir()
    const source = join(dir.path, 'source')
    await makeOddTree(source)
    const plain = join(dir.path, 'archive.tar')
    await runOrThrow('tar', ['-cf', plain, '--format=pax', '-C', source, '.'])
    await runOrThrow(format, ['-k', '-q', plain])
    const result = await apply(await readFile(`${plain}.${ending}`), join(dir.path, 'ours'), `+${format}`)
    expect(result.diffId).toBe(digestOf(await readFile(plain)))
  })

  test.each([true, false])('may be of any size, with programs of the host: %s', async (programs) => {
    await using dir = await tempDir()
    const content = randomBytes(6 << 20)
    const plain = await archiveOf({ entries: [{ name: 'big', content }] })
    const compressed = gzipSync(plain)
    const result = await apply(compressed, join(dir.path, 'ours'), '+gzip', programs)
    expect(result).toMatchObject({ diffId: digestOf(plain), size: plain.length })
    expect(digestOf(await readFile(join(dir.path, 'ours/big')))).toBe(digestOf(content))
  })
})

describe.skipIf(needs({ linux: true, root: true, programs: ['busybox', 'umoci'] }))(
  'a layer of busybox',
  () => {
    test('is extracted as umoci extracts it', async () => {
      await using dir = await tempDir()
      const layer = await busyboxLayer()
      const bytes = await archiveOf(layer)
      const result = await apply(gzipSync(bytes), join(dir.path, 'ours'), '+gzip')
      expect(result.diffId).toBe(digestOf(bytes))
      const layout = join(dir.path, 'layout')
      await runOrThrow('umoci', ['init', '--layout', layout])
      await runOrThrow('umoci', ['new', '--image', `${layout}:b`])
      const archive = join(dir.path, 'b.tar')
      await writeFile(archive, bytes)
      await runOrThrow('umoci', ['raw', 'add-layer', '--image', `${layout}:b`, archive])
      await runOrThrow('umoci', ['raw', 'unpack', '--image', `${layout}:b`, join(dir.path, 'theirs')])
      const [ours, theirs] = [
        await readTree(join(dir.path, 'ours')),
        await readTree(join(dir.path, 'theirs')),
      ]
      expect(ours.size).toBeGreaterThan(200)
      // The archive has no entry for the root.
      expect(compareTrees(ours, theirs, { ignore: (name) => name === '.' })).toEqual([])
    })
  },
)

async function archiveOf(layer: ImageLayer): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of tar(layer.entries)) chunks.push(chunk)
  return Buffer.concat(chunks)
}
