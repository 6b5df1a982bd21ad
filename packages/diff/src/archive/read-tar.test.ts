import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { paxHeader, rawEntry, rawTar, run, tar, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { describe, expect, it, test } from 'vitest'
import { readTar } from './read-tar.ts'

const entries = [
  { type: 'directory', name: 'd' },
  { name: 'd/a', content: 'first' },
  { name: 'd/empty', content: '' },
  { type: 'symlink', name: 'l', target: 'd/a' },
  { name: 'z', content: 'x'.repeat(3000) },
] as const

async function bytes(): Promise<Buffer> {
  return await buffer(tar(entries))
}

async function* pieces(all: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size)
}

async function* names(members: AsyncIterable<{ name: string }>): AsyncGenerator<Buffer> {
  for await (const { name } of members) yield Buffer.from(name)
}

async function readAll(source: AsyncIterable<Uint8Array>, skip: readonly string[] = []): Promise<unknown[]> {
  const found = []
  for await (const { type, name, linkName, size, content } of readTar(source))
    found.push({ type, name, linkName, size, text: skip.includes(name) ? '' : await text(content) })
  return found
}

const expected = [
  { type: 'directory', name: 'd/', linkName: '', size: 0, text: '' },
  { type: 'file', name: 'd/a', linkName: '', size: 5, text: 'first' },
  { type: 'file', name: 'd/empty', linkName: '', size: 0, text: '' },
  { type: 'symlink', name: 'l', linkName: 'd/a', size: 0, text: '' },
  { type: 'file', name: 'z', linkName: '', size: 3000, text: 'x'.repeat(3000) },
]

describe('reading an archive', () => {
  test.each([1, 7, 512, 513, 100_000])('gives its entries in order, in chunks of %i bytes', async (size) => {
    expect(await readAll(pieces(await bytes(), size))).toEqual(expected)
  })

  it('skips content that is not read', async () => {
    const found = await readAll(pieces(await bytes(), 600), ['d/a', 'z'])
    expect(found).toEqual(expected.map((e) => (['d/a', 'z'].includes(e.name) ? { ...e, text: '' } : e)))
  })

  it('goes on after content that is read in part', async () => {
    const names = []
    for await (const { name, content } of readTar(pieces(await bytes(), 100))) {
      names.push(name)
      for await (const _chunk of content) break
    }
    expect(names).toEqual(expected.map(({ name }) => name))
  })

  it('decompresses gzip', async () => {
    expect(await readAll(pieces(gzipSync(await bytes()), 100))).toEqual(expected)
  })

  it('A15 refuses an archive that ends early', async () => {
    const whole = await bytes()
    for (const length of [100, 512 + 100, 512 * 2, 512 * 2 + 3])
      await expect(readAll(pieces(whole.subarray(0, length), 600))).rejects.toMatchObject({
        code: 'data_loss',
      })
    await expect(readAll(pieces(gzipSync(whole).subarray(0, -20), 50))).rejects.toMatchObject({
      code: 'data_loss',
    })
    await expect(readAll(pieces(Buffer.alloc(0), 1))).rejects.toMatchObject({ code: 'data_loss' })
  })

  it('takes an archive that ends with the bytes of its last file, or anywhere after them', async () => {
    const whole = await bytes()
    const headers = 512 * 6
    for (const length of [headers + 3000, headers + 3001, headers + 3072, headers + 3072 + 512])
      expect(await readAll(pieces(whole.subarray(0, length), 600))).toEqual(expected)
  })

  it('A15 refuses an archive that ends in a comment', async () => {
    const comment = Buffer.concat([
      rawEntry({ name: 'g', type: 'g', content: Buffer.from('14 comment=no\n') }),
      rawEntry({ name: 'f', content: Buffer.from('x') }),
    ])
    expect(await readAll(pieces(comment, 100))).toHaveLength(1)
    for (const size of [1, 100, 600])
      await expect(readAll(pieces(comment.subarray(0, 512 + 3), size))).rejects.toMatchObject({
        code: 'data_loss',
      })
  })

  it('A15 refuses sizes beyond the limit', async () => {
    const limits = { size: 1000 }
    const read = async (all: Uint8Array) => {
      for await (const { content } of readTar(pieces(all, 4096), { limits })) await text(content)
    }
    await expect(read(await bytes())).rejects.toMatchObject({ code: 'resource_exhausted' })
    await expect(read(gzipSync(await bytes()))).rejects.toMatchObject({ code: 'resource_exhausted' })
  })

  it('A16 refuses an archive that decompresses to many times its size', async () => {
    const bomb = gzipSync(rawTar(rawEntry({ name: 'zeros', content: Buffer.alloc(4_000_000) })))
    const read = async () => {
      for await (const { content } of readTar(pieces(bomb, 4096), { limits: { freeSize: 1_000_000 } }))
        await text(content)
    }
    await expect(read()).rejects.toMatchObject({ code: 'resource_exhausted' })
  })

  it('A14 refuses sparse files and too many headers', async () => {
    const sparse = rawTar(
      paxHeader([
        ['GNU.sparse.size', '1000000'],
        ['GNU.sparse.map', '0,5'],
      ]),
      rawEntry({ name: 's', content: 'hello' }),
    )
    await expect(readAll(pieces(sparse, 512))).rejects.toMatchObject({
      code: 'invalid_argument',
      details: { entry: 's' },
    })
    const many = readTar(pieces(await bytes(), 512), { limits: { headers: 2 } })
    await expect(buffer(names(many))).rejects.toMatchObject({ code: 'resource_exhausted' })
  })

  it('releases its source when it is left', async () => {
    let released = false
    const whole = await bytes()
    async function* source() {
      try {
        yield* pieces(whole, 100)
      } finally {
        released = true
      }
    }
    for await (const _member of readTar(source())) break
    expect(released).toBe(true)
  })
})

describeWith({ programs: ['zstd'] }, 'reading an archive that zstd compressed', () => {
  it('decompresses it', async () => {
    await using dir = await tempDir()
    const file = join(dir.path, 'a.tar')
    await writeFile(file, await bytes())
    await run('zstd', ['-q', file])
    expect(await readAll(pieces(await readFile(`${file}.zst`), 100))).toEqual(expected)
  })
})
