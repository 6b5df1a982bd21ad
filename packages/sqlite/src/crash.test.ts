import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase } from './open-database.ts'

const run = promisify(execFile)
const migrations = [
  { version: 1, sql: 'CREATE TABLE item (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT' },
]
let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsbox-sqlite-'))
})
afterEach(() => rm(directory, { recursive: true }))

const program = (body: string) => [
  '--conditions=@nsbox/source',
  '--import',
  import.meta.resolve('tsx'),
  '--input-type=module',
  '--eval',
  `import { openDatabase } from ${JSON.stringify(fileURLToPath(new URL('./open-database.ts', import.meta.url)))}
  const migrations = ${JSON.stringify(migrations)}
  ${body}`,
]

test('kill -9 takes nothing back that was durable', async () => {
  const path = join(directory, 'test.db')
  const child = spawn(
    process.execPath,
    program(`
      const db = await openDatabase({ path: ${JSON.stringify(path)}, migrations, checkpointPages: 10 })
      for (;;) {
        const { id } = db.transaction((tx) => tx.run('INSERT INTO item (text) VALUES (?)', 'x'.repeat(2000)))
        await db.durable()
        process.stdout.write(id + '\\n')
      }`),
    { stdio: ['ignore', 'pipe', 'inherit'], timeout: 60_000, killSignal: 'SIGKILL' },
  )
  let last = 0
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line)
    if (last === 300) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  expect(last).toBeGreaterThanOrEqual(300)
  await using db = await openDatabase({ path, migrations })
  expect(db.get<{ n: number }>('SELECT count(*) AS n FROM item WHERE id <= ?', last)).toEqual({ n: last })
  expect(db.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' })
})

test('a power cut takes nothing back that was durable, checkpoints and new logs included', async () => {
  const path = join(directory, 'test.db')
  const disk = join(directory, 'disk')
  await run('mkdir', [disk])
  const copied: { upTo: number }[] = []
  let written = 0
  // What a disk holds at least after a sync. Another process copies: closing a descriptor of the database file in this
  // process would drop its locks.
  const copy = async () => {
    copied.push({ upTo: written })
    const to = join(disk, String(copied.length))
    await run('sh', ['-c', 'mkdir "$2" && cp "$1" "$1-wal" "$2"', 'sh', path, to])
  }
  {
    await using db = await openDatabase({ path, migrations, checkpointPages: 1_000_000, sync: copy })
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 20; i++) {
        db.transaction((tx) => tx.run('INSERT INTO item (text) VALUES (?)', 'x'.repeat(2000)))
        written++
      }
      if (round % 3 === 2) await db.checkpoint()
      await db.durable()
    }
  }
  expect(copied).toHaveLength(12)
  for (const [index, { upTo }] of copied.entries()) {
    await using db = await openDatabase({ path: join(disk, String(index + 1), 'test.db'), migrations })
    expect(db.get<{ n: number }>('SELECT count(*) AS n FROM item')).toEqual({ n: upTo })
  }
})

test('a failed sync ends the process', async () => {
  const path = join(directory, 'test.db')
  const ended = run(
    process.execPath,
    program(`
      const sync = async () => { throw new Error('EIO') }
      const db = await openDatabase({ path: ${JSON.stringify(path)}, migrations, sync })
      process.on('uncaughtException', () => {})
      db.transaction((tx) => tx.run('INSERT INTO item (text) VALUES (?)', 'x'))
      await db.durable()
      console.log('alive')`),
    { timeout: 60_000 },
  )
  await expect(ended).rejects.toMatchObject({
    signal: 'SIGABRT',
    stdout: '',
    stderr: expect.stringContaining(`refused to sync ${path}`),
  })
})
