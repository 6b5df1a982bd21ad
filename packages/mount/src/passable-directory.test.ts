import { chmod, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { run, tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { makePassable } from './passable-directory.ts'

const mode = async (path: string) => (await stat(path)).mode & 0o7777

test('makes all that is missing passable, and leaves what is there', async () => {
  await using directory = await tempDir()
  const there = join(directory.path, 'there')
  await mkdir(there)
  await chmod(there, 0o750)
  const path = join(there, 'a/b')
  makePassable(path)
  expect(await Promise.all([there, join(there, 'a'), path].map(mode))).toEqual([0o750, 0o711, 0o711])
  await chmod(path, 0o700)
  makePassable(path)
  expect(await mode(path)).toBe(0o700)
})

test('D01 does not rely on the umask', async () => {
  await using directory = await tempDir()
  const path = join(directory.path, 'a/b')
  const script = `process.umask(0o077)
    const { makePassable } = await import(${JSON.stringify(new URL('passable-directory.ts', import.meta.url).href)})
    makePassable(${JSON.stringify(path)})`
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script]
  expect(await run(process.execPath, args)).toMatchObject({ code: 0, stderr: '' })
  expect(await Promise.all([join(directory.path, 'a'), path].map(mode))).toEqual([0o711, 0o711])
})
