import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { expect, it } from 'vitest'
import { unlessFresh } from './unless-fresh.mjs'

it('makes files again only if they, what they are made of or the setting has changed', async () => {
  await using directory = await tempDir('nsbox-fresh')
  const source = join(directory.path, 'source')
  const made = join(directory.path, 'dist/made')
  await mkdir(join(directory.path, 'dist'))
  await writeFile(source, 'one')
  let times = 0
  const timesMade = async (setting: string) => {
    await unlessFresh({ directory: directory.path, kind: 'made', setting }, async () => {
      times++
      await writeFile(made, await readFile(source))
      return { inputs: ['source'], outputs: ['dist/made'] }
    })
    return times
  }
  expect(await timesMade('a')).toBe(1)
  expect(await timesMade('a')).toBe(1)
  await writeFile(source, 'two')
  expect(await timesMade('a')).toBe(2)
  await writeFile(made, 'written over')
  expect(await timesMade('a')).toBe(3)
  expect(await readFile(made, 'utf8')).toBe('two')
  await rm(made)
  expect(await timesMade('a')).toBe(4)
  expect(await timesMade('b')).toBe(5)
  await rm(source)
  await expect(timesMade('b')).rejects.toThrow('ENOENT')
  await expect(timesMade('b')).rejects.toThrow('ENOENT')
})
