import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { Bundles } from './bundles.ts'
import { taskRecords } from './task-records.ts'

test('bundles in a shared directory are listed for who has a record there, and those without any for all', async () => {
  await using directory = await tempDir('nsbox-bundles')
  for (const record of [...Object.values(taskRecords), 'begun']) {
    await mkdir(join(directory.path, 'ns', record), { recursive: true })
    if (record !== 'begun') await writeFile(join(directory.path, 'ns', record, record), '{}')
  }
  const listed = (record?: 'task.json' | 'shim.json') =>
    new Bundles(directory.path, record)
      .list()
      .map(({ id }) => id)
      .sort()
  expect(listed(taskRecords.runc)).toEqual(['begun', 'task.json'])
  expect(listed(taskRecords.shim)).toEqual(['begun', 'shim.json'])
  expect(listed()).toEqual(['begun', 'shim.json', 'task.json'])
})
