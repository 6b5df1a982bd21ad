import { join } from 'node:path'
import { openDatabase } from '@nsbox/sqlite'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { migrations } from './schema.ts'
import { getSnapshot, infoOf } from './snapshot-table.ts'

test('times that were kept in milliseconds are read as they were', async () => {
  await using directory = await tempDir('nsbox-schema')
  const path = join(directory.path, 'metadata.db')
  {
    await using db = await openDatabase({ path, migrations: migrations.slice(0, 1) })
    db.transaction((tx) => {
      tx.run(
        `INSERT INTO snapshot VALUES
           (1, 's', 'active', NULL, '{}', 1700000000123, 1700000001456, NULL, NULL)`,
      )
    })
  }
  await using db = await openDatabase({ path, migrations })
  const { createdAt, updatedAt } = infoOf(getSnapshot(db, 's'))
  expect(String(createdAt)).toBe('2023-11-14T22:13:20.123Z')
  expect(String(updatedAt)).toBe('2023-11-14T22:13:21.456Z')
})
