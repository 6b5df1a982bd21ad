import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { ImageDirectories } from './image-directories.ts'

test('a directory for images is its maker’s alone, and gone when that has done with it', async () => {
  await using dir = await tempDir()
  const place = join(dir.path, 'deep/images')
  const directories = new ImageDirectories(place)
  await directories.clear()
  {
    await using one = await directories.create()
    await using other = await directories.create()
    expect(other.path).not.toBe(one.path)
    for (const path of [place, one.path]) expect((await stat(path)).mode & 0o777).toBe(0o700)
    await writeFile(join(one.path, 'pages-1.img'), 'x')
  }
  expect(await readdir(place)).toEqual([])
})

test('what an earlier process has left goes, but for what is still needed', async () => {
  await using dir = await tempDir()
  const directories = new ImageDirectories(dir.path)
  const left = await directories.create()
  const kept = await directories.create()
  await mkdir(join(left.path, 'images'))
  await writeFile(join(left.path, 'images/pages-1.img'), 'x')
  await directories.clear(new Set([kept.path]))
  expect((await readdir(dir.path)).map((name) => join(dir.path, name))).toEqual([kept.path])
  await directories.clear()
  expect(await readdir(dir.path)).toEqual([])
})

test('a directory that cannot be made is named', async () => {
  await using dir = await tempDir()
  await writeFile(join(dir.path, 'file'), '')
  await expect(new ImageDirectories(join(dir.path, 'file/images')).create()).rejects.toMatchObject({
    message: expect.stringContaining(join(dir.path, 'file/images')),
  })
})
