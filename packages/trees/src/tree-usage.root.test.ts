import { link, mkdir, open, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrThrow, scratchMount, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { treeUsage } from './tree-usage.ts'

test('counts blocks and inodes as du does, names that are no UTF-8 included', async () => {
  await using dir = await tempDir('nsbox-snapshots')
  await mkdir(join(dir.path, 'a/b'), { recursive: true })
  for (let index = 0; index < 100; index++)
    await writeFile(join(dir.path, 'a/b', `${index}`), 'x'.repeat(index * 100))
  await writeFile(Buffer.concat([Buffer.from(`${dir.path}/`), Buffer.of(0xff, 0xfe)]), 'x')
  const { stdout } = await runOrThrow('du', ['--summarize', '--block-size=512', dir.path])
  expect(await treeUsage(dir.path)).toEqual({ size: Number.parseInt(stdout, 10) * 512, inodes: 104 })
})

test('counts a hole as nothing, and a file with two names once', async () => {
  await using dir = await tempDir('nsbox-snapshots')
  const empty = await treeUsage(dir.path)
  await writeFile(join(dir.path, 'hole'), '')
  await truncate(join(dir.path, 'hole'), 1024 * 1024 * 1024)
  const { size, inodes } = await treeUsage(dir.path)
  expect(size - empty.size).toBeLessThan(1024 * 1024)
  expect(inodes).toBe(2)
  await using file = await open(join(dir.path, 'file'), 'w')
  await file.writeFile(Buffer.alloc(1024 * 1024, 'x'))
  await file.sync()
  const one = await treeUsage(dir.path)
  await link(join(dir.path, 'file'), join(dir.path, 'again'))
  expect(await treeUsage(dir.path)).toEqual(one)
})

test('gives up when it is told to', async () => {
  await using dir = await tempDir('nsbox-snapshots')
  await expect(treeUsage(dir.path, { signal: AbortSignal.abort() })).rejects.toThrow()
})

describeWith({ root: true, linux: true }, 'where something is mounted', () => {
  test('D10 does not count what is mounted in the tree', async () => {
    await using outer = await scratchMount()
    const inner = join(outer.path, 'inner')
    await mkdir(inner)
    await runOrThrow('mount', ['-t', 'tmpfs', 'nsbox-test', inner])
    await writeFile(join(inner, 'file'), Buffer.alloc(1024 * 1024))
    expect(await treeUsage(outer.path)).toMatchObject({ inodes: 1 })
  })
})
