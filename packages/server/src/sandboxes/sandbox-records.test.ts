import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { SandboxRecords } from './sandbox-records.ts'

const fixture = join(import.meta.dirname, '../testing/records/sandbox-1-first.json')

test('a sandbox of the first program that had such ones is there, and one of a newer is refused', async () => {
  await using directory = await tempDir('nsbox-sandbox-records')
  const records = new SandboxRecords(join(directory.path, 'n'))
  expect(await records.get('a')).toBeUndefined()
  await mkdir(join(directory.path, 'n'))
  const path = join(directory.path, 'n/a')
  await copyFile(fixture, path)
  const first = { createdAt: 1_764_561_376_123_456, startedAt: 1_764_561_377_123_456 }
  expect(await records.get('a')).toEqual(first)
  await records.put('a', { ...first, exitedAt: 1_764_561_378_123_456 })
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ format: 1, ...first })
  expect(await records.get('a')).toEqual({ ...first, exitedAt: 1_764_561_378_123_456 })
  await writeFile(path, JSON.stringify({ ...first, format: 2 }))
  await expect(records.get('a')).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining('has format 2, this program knows formats up to 1: use a newer program'),
  })
  await writeFile(path, JSON.stringify({ createdAt: 'yesterday' }))
  await expect(records.get('a')).rejects.toMatchObject({ code: 'data_loss' })
})
