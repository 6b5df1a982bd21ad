import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { needs, runOrThrow, tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { openDatabase } from './open-database.ts'

const migrations = [
  { version: 1, sql: 'CREATE TABLE item (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT' },
]
const count = 'SELECT count(*) AS n FROM item'

/** Mounts a file system of its own for the test. */
async function smallDisk(size: string): Promise<{ readonly path: string } & AsyncDisposable> {
  const directory = await tempDir('nsbox-full')
  const { path } = directory
  await runOrThrow('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path])
  return {
    path,
    async [Symbol.asyncDispose]() {
      await runOrThrow('umount', [path])
      await directory[Symbol.asyncDispose]()
    },
  }
}

/** Takes all the room that is left. */
async function fill(directory: string): Promise<void> {
  await expect(writeFile(join(directory, 'filler'), Buffer.alloc(64 << 20))).rejects.toThrow('ENOSPC')
}

test.skipIf(needs({ root: true, linux: true }))(
  'D21 a full disk refuses with a code, and loses nothing',
  async () => {
    await using disk = await smallDisk('2m')
    const path = join(disk.path, 'test.db')
    let written = 0
    const failures: unknown[] = []
    {
      await using db = await openDatabase({
        path,
        migrations,
        checkpointPages: 20,
        onCheckpointError: (e) => failures.push(e),
      })
      const write = () =>
        db.transaction((tx) => tx.run('INSERT INTO item (text) VALUES (?)', 'x'.repeat(3000)))
      expect(() => {
        for (; written < 1000; written++) write()
      }).toThrow(expect.objectContaining({ code: 'resource_exhausted' }))
      await db.durable()
      expect(db.get(count)).toEqual({ n: written })
    }
    await using db = await openDatabase({ path, migrations })
    expect(db.get(count)).toEqual({ n: written })
    expect(db.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' })
  },
)

test.skipIf(needs({ root: true, linux: true }))('D21 a full disk lets what is there be deleted', async () => {
  await using disk = await smallDisk('16m')
  await using db = await openDatabase({ path: join(disk.path, 'test.db'), migrations })
  for (let i = 0; i < 200; i++) {
    db.transaction((tx) => tx.run('INSERT INTO item (text) VALUES (?)', 'x'.repeat(3000)))
  }
  await db.checkpoint()
  await fill(disk.path)
  for (let id = 1; id <= 200; id++) {
    db.transaction((tx) => tx.run('DELETE FROM item WHERE id = ?', id))
    await db.durable()
  }
  expect(db.get(count)).toEqual({ n: 0 })
})
