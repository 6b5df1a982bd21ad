import { buffer } from 'node:stream/consumers'
import { digestOf, mediaTypes } from '@nsbox/oci'
import { type BuiltImage, filesLayer, paxHeader, rawEntry, type TarEntry, tar } from '@nsbox/testing'
import { describe, expect, it, test } from 'vitest'
import { dockerEntries, plainLayer } from '../testing/archive-bytes.ts'
import { openStores } from '../testing/open-stores.ts'
import { importInto, indexOf, prepareImport } from '../testing/prepared-import.ts'

const code = (value: string) => expect.objectContaining({ code: value })

const named = (descriptor: object) => ({
  ...descriptor,
  annotations: { 'org.opencontainers.image.ref.name': 'v1' },
})

describe('a hostile archive', () => {
  /** Imports a good image layout with some entries replaced; nothing may be recorded. */
  async function refusedWith(expected: string, change: (entries: TarEntry[], it: BuiltImage) => TarEntry[]) {
    await using it = await prepareImport({ layers: [filesLayer({ a: 'b' })] })
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
        indexOf(named({ mediaType: mediaTypes.ociManifest, digest: digestOf(big), size: big.length })),
      ),
      { name: `blobs/sha256/${digestOf(big).slice(7)}`, content: big },
    ])
  })

  describe('E04 asks for more memory than', () => {
    /** An archive that begins with many links with long names and targets. */
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
      await using it = await prepareImport({ layers: [filesLayer({ a: 'b' })] })
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
      replaced(entries, 'index.json', indexOf(named({ ...target, size: target.size + 1 }))),
    )
    await refusedWith('invalid_argument', (entries, { target }) =>
      replaced(entries, 'index.json', indexOf(named({ ...target, size: -1 }))),
    )
  })

  it('B04 has digests that are paths', async () => {
    for (const digest of ['sha256:../../../etc/passwd', 'md5:d41d8cd98f00b204e9800998ecf8427e']) {
      await refusedWith('invalid_argument', (entries, { target }) =>
        replaced(entries, 'index.json', indexOf(named({ ...target, digest }))),
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
        const content = indexOf(inner)
        const digest = digestOf(content)
        documents.push({ name: `blobs/sha256/${digest.slice(7)}`, content })
        inner = { mediaType: mediaTypes.ociIndex, digest, size: content.length }
      }
      return [...replaced(entries, 'index.json', indexOf(named(inner))), ...documents]
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
        ...replaced(entries, 'index.json', indexOf(named(first), second)),
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
        indexOf(named(target), named({ ...image!.config, mediaType: mediaTypes.ociManifest })),
      ),
    )
  })

  it('has a target that is no document of an image', async () => {
    await refusedWith('invalid_argument', (entries, { manifests: [image] }) =>
      replaced(entries, 'index.json', indexOf(named(image!.config))),
    )
  })

  it('has two files of one name', async () => {
    await refusedWith('invalid_argument', (entries) => [
      ...entries,
      { name: './index.json', content: indexOf() },
    ])
  })

  it('A01 has names that lead out of it', async () => {
    await refusedWith('invalid_argument', (entries) => [
      ...entries,
      { name: '../index.json', content: indexOf() },
    ])
  })

  it('A15 ends early', async () => {
    await using it = await prepareImport({ layers: [filesLayer({ a: 'b' })] })
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
    await using it = await prepareImport({ layers: [filesLayer({ a: 'b' })] })
    await expect(it.import([])).rejects.toThrow(code('invalid_argument'))
    const entries = (await it.entries()).filter(({ name }) => name !== 'index.json')
    await expect(it.import([...entries, { name: 'index.json', content: indexOf() }])).rejects.toThrow(
      code('not_found'),
    )
  })
})
