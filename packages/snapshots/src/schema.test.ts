import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openDatabase, type Reader } from '@nsbox/sqlite'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { migrations } from './schema.ts'
import { getSnapshot, infoOf } from './snapshot-table.ts'

/** Makes a database as programs of an earlier version have left it: `testing/schemas` has their tables and rows. */
async function leave(path: string, version: number): Promise<void> {
  const sql = await readFile(join(import.meta.dirname, `testing/schemas/version-${version}.sql`), 'utf8')
  const steps = Array.from({ length: version }, (_, index) => ({
    version: index + 1,
    sql: index === 0 ? sql : '',
  }))
  await (await openDatabase({ path, migrations: steps }))[Symbol.asyncDispose]()
}

/** Tables and indexes, without how they are written. */
function schemaOf(db: Reader): string[] {
  const rows = db.all<{ sql: string }>('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL')
  return rows.map(({ sql }) => sql.replace(/\s+/g, ' ')).sort()
}

test.each(migrations.map(({ version }) => version))(
  'a database of version %d is brought up to date, with everything in it',
  async (version) => {
    await using directory = await tempDir('nsbox-schema')
    const path = join(directory.path, 'metadata.db')
    await leave(path, version)
    await using db = await openDatabase({ path, migrations })
    await using fresh = await openDatabase({ path: join(directory.path, 'fresh.db'), migrations })
    expect(schemaOf(db)).toEqual(schemaOf(fresh))
    const { createdAt, updatedAt, ...info } = infoOf(getSnapshot(db, 'work'))
    expect(info).toMatchObject({ name: 'work', kind: 'active', parent: 'chain', labels: { s: 't' } })
    // Times were kept in milliseconds at first.
    expect(String(createdAt)).toBe(`2023-11-14T22:13:20.123${version === 1 ? '' : '456'}Z`)
    expect(String(updatedAt)).toBe(`2023-11-14T22:13:21.456${version === 1 ? '' : '789'}Z`)
    expect(getSnapshot(db, 'chain')).toMatchObject({ size: 5, inodes: 2 })
  },
)
