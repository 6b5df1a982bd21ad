import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { digestOf } from '@nsbox/oci'
import { gnuLongName, needs, paxHeader, type RawHeader, rawEntry, rawTar, runOrThrow } from '@nsbox/testing'
import { describe, expect, test } from 'vitest'
import { useLayerSandbox } from '../testing/layer-sandbox.ts'

const reason = needs({ linux: true, root: true, programs: ['python3', 'gzip', 'zstd'] })
const refused = { code: 'invalid_argument' }
const damaged = { code: 'data_loss' }
const tooMuch = { code: 'resource_exhausted' }

describe.skipIf(reason)(`layers whose archive misleads (${reason ?? 'as root'})`, () => {
  const sandbox = useLayerSandbox()
  const at = (name: string) => join(sandbox().root, name)

  describe('E04 what is kept of a layer until its end is bounded in bytes:', () => {
    const limits = { kept: 1024 * 1024 }
    const numbered = (count: number, entry: (index: number) => readonly (RawHeader | Uint8Array)[]) =>
      Array.from({ length: count }, (_, index) => entry(index)).flat()

    test('names', async () => {
      const files = (count: number) =>
        numbered(count, (index) => [gnuLongName('L', `${'d'.repeat(200)}/${index}`), {}])
      await sandbox().apply(files(1000), { limits })
      await expect(sandbox().apply(files(4000), { limits })).rejects.toMatchObject(tooMuch)
    })

    test('link names of what is no link', async () => {
      const target = 'l'.repeat(300_000)
      const directories = numbered(4, (index) => [gnuLongName('K', target), { name: `d${index}`, type: '5' }])
      await expect(sandbox().apply(directories, { limits })).rejects.toMatchObject(tooMuch)
    })

    test('directories that are only implied', async () => {
      const component = 'c'.repeat(250)
      const deep = Array.from({ length: 15 }, () => component).join('/')
      const files = (count: number) =>
        numbered(count, (index) => [gnuLongName('L', `${deep}/${index}/f`), { content: '' }])
      await expect(sandbox().apply(files(400), { limits })).rejects.toMatchObject(tooMuch)
      await sandbox().clear()
      expect((await sandbox().apply(files(400))).implied).toHaveLength(1 + 15 + 400)
      await sandbox().clear()
      await expect(sandbox().apply(files(2200))).rejects.toMatchObject({
        ...tooMuch,
        context: expect.stringContaining('directories that no entry of the layer describes'),
      })
    })
  })

  describe('A14', () => {
    const map = (pieces: string) => [
      paxHeader([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.name', 's'],
        ['GNU.sparse.realsize', '1000000'],
      ]),
      { name: 'x', content: pieces } satisfies RawHeader,
    ]

    test('sparse maps are bounded, ordered and within the file', async () => {
      await expect(sandbox().apply(map('99999999\n'.padEnd(512, '\0')))).rejects.toMatchObject(tooMuch)
      await expect(sandbox().apply(map('9'.repeat(600)))).rejects.toMatchObject(damaged)
      await expect(
        sandbox().apply(map('2\n100\n1\n50\n1\n'.padEnd(512, '\0').padEnd(514, 'x'))),
      ).rejects.toMatchObject(refused)
      await expect(
        sandbox().apply(map('1\n999999\n2\n'.padEnd(512, '\0').padEnd(514, 'x'))),
      ).rejects.toMatchObject(refused)
      await expect(
        sandbox().apply(map('1\n0\n2\n'.padEnd(512, '\0').padEnd(513, 'x'))),
      ).rejects.toMatchObject(refused)
      await sandbox().apply(map('1\n999998\n2\n'.padEnd(512, '\0').padEnd(514, 'x')))
      expect(statSync(at('s')).size).toBe(1_000_000)
    })

    test('E04 a sparse map that never says a number ends at its first block', async () => {
      const header = { name: 'x', content: '\0'.repeat(1024), size: 1 << 30 } satisfies RawHeader
      await expect(sandbox().apply([map('')[0] as Uint8Array, header])).rejects.toMatchObject({
        ...damaged,
        context: expect.stringContaining('malformed sparse map'),
      })
    })

    test('a sparse file is no bigger than a layer may be', async () => {
      const records = [
        ['GNU.sparse.size', '9007199254740991'],
        ['GNU.sparse.map', ''],
      ] as const
      await expect(sandbox().apply([paxHeader(records), { name: 's' }])).rejects.toMatchObject(tooMuch)
    })

    test('extended headers, their records and attributes are bounded', async () => {
      const long = paxHeader([['comment', 'x'.repeat(1 << 20)]])
      await expect(sandbox().apply([long, { name: 'x' }])).rejects.toMatchObject(tooMuch)
      await expect(sandbox().apply([gnuLongName('L', 'x'.repeat(1 << 20)), {}])).rejects.toMatchObject(
        tooMuch,
      )
      const records = Array.from({ length: 4097 }, (_, index) => [`k${index}`, 'v'] as const)
      await expect(sandbox().apply([paxHeader(records), { name: 'x' }])).rejects.toMatchObject(tooMuch)
      const attributes = Array.from(
        { length: 257 },
        (_, index) => [`SCHILY.xattr.user.${index}`, 'v'] as const,
      )
      await expect(sandbox().apply([paxHeader(attributes), { name: 'x' }])).rejects.toMatchObject(tooMuch)
    })

    test('headers are counted', async () => {
      const entries = Array.from({ length: 11 }, () => paxHeader([['comment', 'x']]))
      const alternate = entries.flatMap((header, index) => [header, rawEntry({ name: `f${index}` })])
      await expect(sandbox().apply(alternate, { limits: { headers: 21 } })).rejects.toMatchObject(tooMuch)
      await sandbox().apply(alternate, { limits: { headers: 22 } })
    })

    test.each(['5 a', '9 a=b\n\n', '0 a=b\n', '999 a=b\n', '-6 a=b\n', '6 a=bb\n', '5 =b\n', 'x'])(
      'refuses the record %j',
      async (record) => {
        const header = { name: 'p', type: 'x', content: record }
        await expect(sandbox().apply([header, { name: 'x' }])).rejects.toMatchObject(damaged)
      },
    )
  })

  describe('A15', () => {
    test('sizes that lie are refused', async () => {
      await expect(sandbox().apply([{ name: 'x', size: -1 }])).rejects.toMatchObject(refused)
      await expect(sandbox().apply([{ name: 'x', size: 1n << 90n }])).rejects.toMatchObject(tooMuch)
      await expect(sandbox().apply([{ name: 'x', size: 99_999 }])).rejects.toMatchObject(damaged)
      await expect(sandbox().apply([paxHeader([['size', '-1']]), { name: 'x' }])).rejects.toMatchObject(
        refused,
      )
      await expect(
        sandbox().apply([paxHeader([['size', '99999999999999999999']]), {}]),
      ).rejects.toMatchObject(refused)
    })

    test('ids out of range are refused, not wrapped', async () => {
      for (const uid of [-1, 0xffffffff, 1n << 40n] as number[])
        await expect(sandbox().apply([{ name: 'x', uid }])).rejects.toMatchObject(refused)
      await expect(sandbox().apply([paxHeader([['gid', '4294967295']]), {}])).rejects.toMatchObject(refused)
    })

    test('a header with a wrong checksum is damage', async () => {
      const bytes = rawTar(rawEntry({ name: 'x' }))
      bytes[0] = 0x79
      await expect(sandbox().applyBytes(bytes)).rejects.toMatchObject(damaged)
    })

    test('an archive that ends within an entry, a header or an extension is damage', async () => {
      const bytes = rawTar(paxHeader([['path', 'y']]), rawEntry({ name: 'x', content: 'x'.repeat(1000) }))
      for (const length of [0, 100, 512, 1024, 1200, 1536, 1700])
        await expect(sandbox().applyBytes(bytes.subarray(0, length))).rejects.toMatchObject(damaged)
    })

    test('what follows the end of the archive is hashed and not read as entries', async () => {
      const trailing = Buffer.concat([rawTar(rawEntry({ name: 'x' })), rawTar(rawEntry({ name: 'y' }))])
      expect(await sandbox().applyBytes(trailing)).toMatchObject({ size: trailing.length, entries: 1 })
      expect(existsSync(at('y'))).toBe(false)
    })

    test("a layer must have its descriptor's size, neither more nor less", async () => {
      const bytes = rawTar(rawEntry({ name: 'x' }))
      for (const size of [bytes.length - 1, bytes.length + 1, 0])
        await expect(
          sandbox().applyBytes(bytes, { layer: { path: join(sandbox().path, 'layer'), size } }),
        ).rejects.toMatchObject(damaged)
    })

    test('the bytes tell the compression, whatever compression the type names', async () => {
      const bytes = rawTar(rawEntry({ name: 'x' }))
      const zstd = Buffer.from((await runOrThrow('zstd', ['-c', '-q'], { input: bytes })).stdoutBytes)
      const docker = 'application/vnd.docker.image.rootfs.diff.tar'
      const oci = 'application/vnd.oci.image.layer.v1.tar'
      for (const mediaType of [docker, `${docker}.gzip`, oci, `${oci}+gzip`, `${oci}+zstd`])
        for (const layer of [bytes, gzipSync(bytes), zstd])
          expect(await sandbox().applyBytes(layer, { mediaType })).toMatchObject({
            size: bytes.length,
            diffId: digestOf(bytes),
          })
    })

    test.each([
      'application/vnd.oci.image.layer.v1.tar+gzip+encrypted',
      'application/vnd.oci.image.layer.v1.tar+encrypted',
      'application/vnd.oci.image.layer.v1.tar+bzip2',
      'application/vnd.oci.image.config.v1+json',
      'text/plain',
      '',
    ])('nothing of type %j is applied', async (mediaType) => {
      const layer = gzipSync(rawTar(rawEntry({ name: 'x' })))
      await expect(sandbox().applyBytes(layer, { mediaType })).rejects.toMatchObject({
        code: 'unimplemented',
        message: expect.stringContaining(JSON.stringify(mediaType)),
      })
      expect(readdirSync(sandbox().root)).toEqual([])
    })
  })

  test.each([true, false])(
    'A16 a bomb is stopped by its size and by its ratio (with programs of the host: %s)',
    async (programs) => {
      const size = 64 << 20
      const entry = rawEntry({ name: 'x', size, content: Buffer.alloc(size) })
      const { stdoutBytes } = await runOrThrow('zstd', ['-c', '-q'], { input: entry })
      for (const bomb of [gzipSync(entry), Buffer.from(stdoutBytes)]) {
        const job = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', programs }
        const absolute = sandbox().applyBytes(bomb, { ...job, limits: { size: 32 << 20 } })
        await expect(absolute).rejects.toMatchObject(tooMuch)
        const ratio = sandbox().applyBytes(bomb, { ...job, limits: { freeSize: 1 << 20, ratio: 100 } })
        await expect(ratio).rejects.toMatchObject(tooMuch)
      }
    },
  )

  test('A17 programs that decompress are named by absolute paths, whatever the search path says', async () => {
    const { PATH } = process.env
    for (const name of ['igzip', 'zstd'])
      writeFileSync(at(name), '#!/bin/sh\necho hijacked\n', { mode: 0o755 })
    process.env.PATH = sandbox().root
    try {
      const layer = gzipSync(rawTar(rawEntry({ name: 'x' })))
      await sandbox().applyBytes(layer, { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' })
    } finally {
      process.env.PATH = PATH
    }
    expect(existsSync(at('x'))).toBe(true)
  })

  test('a wrong diff id is refused', async () => {
    const diffId = `sha256:${'0'.repeat(64)}` as const
    await expect(sandbox().apply([{ name: 'x' }], { diffId })).rejects.toMatchObject({
      code: 'failed_precondition',
    })
  })
})
