import { execFile } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { errorCode } from '@nsbox/errors'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Checkpointer } from './checkpointer.ts'
import { openConnection } from './connection.ts'
import { type DatabaseOptions, openDatabase } from './open-database.ts'

const migrations = [
  { version: 1, sql: 'CREATE TABLE item (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT' },
]
let directory: string
let path: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsbox-sqlite-'))
  path = join(directory, 'test.db')
})
afterEach(() => rm(directory, { recursive: true }))

const open = (options: Partial<DatabaseOptions> = {}) => openDatabase({ path, migrations, ...options })
/** Where a descriptor leads, unless it has been closed. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

const insert = 'INSERT INTO item (text) VALUES (?)'
const count = 'SELECT count(*) AS n FROM item'

describe('opening', () => {
  test('applies the migrations that are missing, in order', async () => {
    {
      await using db = await open()
      db.transaction((tx) => tx.run(insert, 'a'))
    }
    const more = [...migrations, { version: 2, sql: "ALTER TABLE item ADD COLUMN kind TEXT DEFAULT 'old'" }]
    await using db = await open({ migrations: more })
    expect(db.all('SELECT text, kind FROM item')).toEqual([{ text: 'a', kind: 'old' }])
  })

  test('a migration that fails leaves the schema as it was', async () => {
    await (await open())[Symbol.asyncDispose]()
    const broken = [
      ...migrations,
      { version: 2, sql: 'CREATE TABLE more (x); INSERT INTO nowhere VALUES (1)' },
    ]
    await expect(open({ migrations: broken })).rejects.toThrow('nowhere')
    await using db = await open()
    expect(db.get("SELECT 1 FROM sqlite_master WHERE name = 'more'")).toBeUndefined()
  })

  test('refuses a database of a newer program and leaves it as it is', async () => {
    const more = [...migrations, { version: 2, sql: 'CREATE TABLE later (x)' }]
    await (await open({ migrations: more }))[Symbol.asyncDispose]()
    await expect(open()).rejects.toMatchObject({
      code: 'failed_precondition',
      details: { found: 2, known: 1 },
    })
    await using db = await open({ migrations: more })
    expect(db.all('SELECT * FROM later')).toEqual([])
  })

  test('refuses migrations that are not numbered in order', async () => {
    await expect(open({ migrations: [{ version: 2, sql: '' }] })).rejects.toThrow(TypeError)
  })

  test('refuses a file that is no database', async () => {
    await promisify(execFile)('sh', ['-c', `yes nonsense | head -c 8192 > "${path}"`])
    expect(await open().catch(errorCode)).toBe('data_loss')
  })

  test('refuses a path whose directory does not exist', async () => {
    expect(await open({ path: join(directory, 'no', 'test.db') }).catch(errorCode)).toBe('not_found')
  })

  test('D01 only the owner can read the files', async () => {
    await using db = await open()
    db.transaction((tx) => tx.run(insert, 'a'))
    for (const suffix of ['', '-wal', '-shm']) {
      expect((await stat(path + suffix)).mode & 0o777).toBe(0o600)
    }
  })
})

describe('transactions', () => {
  test('all changes happen, or none if the body throws', async () => {
    await using db = await open()
    db.transaction((tx) => tx.run(insert, 'kept'))
    expect(() =>
      db.transaction((tx) => {
        tx.run(insert, 'lost')
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(db.all('SELECT text FROM item')).toEqual([{ text: 'kept' }])
  })

  test('give the body’s result, the changes and the id', async () => {
    await using db = await open()
    expect(db.transaction((tx) => tx.run(insert, 'a'))).toEqual({ changes: 1, id: 1 })
    expect(db.transaction((tx) => tx.get('SELECT text FROM item WHERE id = ?', 1))).toEqual({ text: 'a' })
    expect(db.rows('SELECT id, text FROM item')).toEqual([[1, 'a']])
    const empty = new Uint8Array(new ArrayBuffer(0))
    expect(db.get('SELECT typeof(?) AS type', empty)).toEqual({ type: 'blob' })
    // Names of columns are neither keys nor an order.
    expect(db.rows('SELECT text, 0, 0, 1 AS `2`, 2 AS `1` FROM item')).toEqual([['a', 0, 0, 1, 2]])
  })

  test('do not nest, are not asynchronous and end with their body', async () => {
    await using db = await open()
    expect(() => db.transaction(() => db.transaction(() => 1))).toThrow(TypeError)
    expect(() => db.transaction(async () => 1)).toThrow(TypeError)
    let leaked: { run: (sql: string) => unknown } | undefined
    db.transaction((tx) => {
      leaked = tx
    })
    expect(() => leaked?.run('DELETE FROM item')).toThrow(TypeError)
    expect(db.transaction(() => 'still works')).toBe('still works')
  })

  test('are refused after the database is closed', async () => {
    const db = await open()
    await db[Symbol.asyncDispose]()
    await db[Symbol.asyncDispose]()
    expect(() => db.transaction(() => 1)).toThrow(expect.objectContaining({ code: 'unavailable' }))
    expect(() => db.get(count)).toThrow(expect.objectContaining({ code: 'unavailable' }))
  })

  test('D21 a full database is an error with a code and loses nothing', async () => {
    await using db = await open()
    db.transaction((tx) => tx.run(insert, 'kept'))
    db.get('PRAGMA max_page_count = 10')
    const fill = () => db.transaction((tx) => tx.run(insert, 'x'.repeat(100_000)))
    expect(fill).toThrow(expect.objectContaining({ code: 'resource_exhausted' }))
    db.get('PRAGMA max_page_count = 1000')
    fill()
    expect(db.get(count)).toEqual({ n: 2 })
  })
})

describe('durability', () => {
  test('a transaction that changed nothing needs no sync', async () => {
    let syncs = 0
    await using db = await open({ sync: async () => void syncs++ })
    db.transaction((tx) => tx.run('DELETE FROM item'))
    await db.durable()
    expect(syncs).toBe(0)
  })

  test('concurrent writers share syncs', async () => {
    let syncs = 0
    await using db = await open({
      sync: async (log) => {
        syncs++
        await log.datasync()
      },
    })
    const writer = async () => {
      for (let i = 0; i < 10; i++) {
        db.transaction((tx) => tx.run(insert, 'x'))
        await db.durable()
      }
    }
    await Promise.all(Array.from({ length: 64 }, writer))
    expect(db.get(count)).toEqual({ n: 640 })
    expect(syncs).toBeGreaterThanOrEqual(10)
    expect(syncs).toBeLessThanOrEqual(20)
  })

  test('D21 a failed sync is fatal: it is told, and nothing is durable afterwards', async () => {
    const fatal: unknown[] = []
    const db = await open({
      sync: () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })),
      onFatal: (error) => fatal.push(error),
    })
    db.transaction((tx) => tx.run(insert, 'x'))
    expect(await db.durable().catch(errorCode)).toBe('data_loss')
    expect(fatal).toHaveLength(1)
    expect(await db[Symbol.asyncDispose]().catch(errorCode)).toBe('data_loss')
    const descriptors = readdirSync('/proc/self/fd').map((fd) => linkOf(`/proc/self/fd/${fd}`))
    expect(descriptors.filter((target) => target?.startsWith(path))).toEqual([])
  })

  test('relaxed durability never syncs the log', async () => {
    let syncs = 0
    await using db = await open({ durability: 'relaxed', sync: async () => void syncs++ })
    db.transaction((tx) => tx.run(insert, 'x'))
    await db.durable()
    expect(syncs).toBe(0)
  })
})

describe('checkpoints', () => {
  test('run by themselves as the log grows, which then starts over instead of growing on', async () => {
    using run = vi.spyOn(Checkpointer.prototype, 'run')
    await using db = await open({ checkpointPages: 20 })
    for (let i = 0; i < 600; i++) {
      db.transaction((tx) => tx.run(insert, 'x'.repeat(3000)))
      await db.durable()
      // Waits for the checkpoint thread now and then, which may be slower than the writer.
      if (i % 60 === 59) await Promise.all(run.mock.results.map(({ value }) => value))
    }
    // 600 rows take more than 600 pages of log.
    expect((await stat(`${path}-wal`)).size).toBeLessThan(300 * 4096)
    expect((await stat(path)).size).toBeGreaterThan(200 * 4096)
  })

  test('wait for the end of a burst, unless the log has grown to twice the size', async () => {
    const run = vi.spyOn(Checkpointer.prototype, 'run')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      await using db = await open({ checkpointPages: 100 })
      const add = (rows: number) => {
        for (let i = 0; i < rows; i++) db.transaction((tx) => tx.run(insert, 'x'.repeat(3000)))
      }
      add(64)
      vi.advanceTimersByTime(199)
      add(1)
      vi.advanceTimersByTime(199)
      expect(run).not.toHaveBeenCalled()
      vi.advanceTimersByTime(1)
      expect(run).toHaveBeenCalledTimes(1)
      await run.mock.results[0]!.value
      add(250)
      expect(run).toHaveBeenCalledTimes(2)
    } finally {
      vi.useRealTimers()
      run.mockRestore()
    }
  })

  test('do not hold up commits', async () => {
    await using db = await open({ checkpointPages: 1_000_000 })
    for (let i = 0; i < 2000; i++) db.transaction((tx) => tx.run(insert, 'x'.repeat(8000)))
    let running = true
    const checkpoint = db.checkpoint().finally(() => {
      running = false
    })
    let during = 0
    while (running) {
      db.transaction((tx) => tx.run(insert, 'y'))
      during++
      await new Promise((resolve) => setImmediate(resolve))
    }
    await checkpoint
    expect(during).toBeGreaterThan(10)
  })

  test('a stream of commits without a pause does not keep the log from starting over', async () => {
    await using db = await open({ checkpointPages: 20 })
    let largest = 0
    for (;;) {
      for (let i = 0; i < 50; i++) {
        db.transaction((tx) => tx.run(insert, 'x'.repeat(3000)))
        await new Promise((resolve) => setImmediate(resolve))
      }
      // A log that starts over is cut to 80 pages. Otherwise this ends by the test's timeout.
      const { size } = await stat(`${path}-wal`)
      if (size < largest) break
      largest = size
    }
  })

  test('closing leaves one file with everything in it', async () => {
    {
      await using db = await open({ checkpointPages: 10 })
      for (let i = 0; i < 100; i++) db.transaction((tx) => tx.run(insert, 'x'.repeat(1000)))
    }
    await expect(stat(`${path}-wal`)).rejects.toThrow('ENOENT')
    const raw = openConnection(path, 0)
    try {
      expect(raw.prepare(count).get()).toEqual({ n: 100 })
    } finally {
      raw.close()
    }
  })
})
