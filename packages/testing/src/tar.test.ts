import { lstat, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { runOrThrow } from './run.ts'
import { seededBytes } from './seeded-bytes.ts'
import { type TarEntry, tar } from './tar.ts'
import { tempDir } from './temp-dir.ts'

const archive = (entries: TarEntry[]) => buffer(Readable.from(tar(entries)))

it('writes what GNU tar reads', async () => {
  await using dir = await tempDir()
  const file = join(dir.path, 'a.tar')
  await writeFile(
    file,
    await archive([
      { type: 'directory', name: 'd', mode: 0o700 },
      { name: 'd/text', content: 'hello', mode: 0o755, mtime: 1000 },
      { name: 'd/sized', content: { size: 1000, chunks: seededBytes(1, 1000) } },
      { type: 'symlink', name: 'link', target: 'd/text' },
      { type: 'hardlink', name: 'hard', target: 'd/text' },
      { name: `d/${'ü'.repeat(100)}`, content: 'long' },
    ]),
  )
  await runOrThrow('tar', ['-xf', file, '-C', dir.path])
  const path = (name: string) => join(dir.path, name)
  expect(await readFile(path('hard'), 'utf8')).toBe('hello')
  expect(await readlink(path('link'))).toBe('d/text')
  expect(await readFile(path('d/sized'))).toEqual(Buffer.concat([...seededBytes(1, 1000)]))
  expect(await readFile(path(`d/${'ü'.repeat(100)}`), 'utf8')).toBe('long')
  expect((await lstat(path('d'))).mode & 0o777).toBe(0o700)
  expect(await lstat(path('d/text'))).toMatchObject({ nlink: 2, mtimeMs: 1_000_000 })
})

it('gives the same bytes for the same entries', async () => {
  const entries: TarEntry[] = [{ name: 'a', content: 'b' }]
  expect(await archive(entries)).toEqual(await archive(entries))
})

it('refuses content of another size than announced, and passes on why it cannot be made', async () => {
  await expect(archive([{ name: 'x', content: { size: 2, chunks: [Buffer.from('1')] } }])).rejects.toThrow(
    /Size mismatch/,
  )
  async function* failing() {
    yield Buffer.from('1')
    throw new Error('no more')
  }
  await expect(archive([{ name: 'x', content: { size: 2, chunks: failing() } }])).rejects.toThrow('no more')
})

it('ends with its reader', async () => {
  let open = true
  async function* endless() {
    try {
      for (;;) yield Buffer.alloc(100_000)
    } finally {
      open = false
    }
  }
  for await (const _chunk of tar([{ name: 'x', content: { size: 1e12, chunks: endless() } }])) break
  expect(open).toBe(false)
})
