import { copyFile, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openDatabase } from '@nsbox/sqlite'
import { tempDir } from '@nsbox/testing'
import type { TestServer } from '../programs.ts'

/** What one program takes. */
export interface ProcessFootprint {
  /** Memory of its own in KiB. What it shares with others, such as Node's program, looks smaller the more they are. */
  readonly memory: number
  readonly descriptors: number
}

/** What a server takes that has nothing. */
export interface Footprint {
  readonly server: ProcessFootprint
  /** Undefined where none has been needed since the server's start. */
  readonly supervisor: ProcessFootprint | undefined
  /** Rows by table, of the server's database and those of its snapshotters. */
  readonly rows: Readonly<Record<string, number>>
}

/** Waits until a server that is idle has given back what it does not need, and measures. */
export async function measure(server: TestServer): Promise<Footprint> {
  const [supervisor] = await server.supervisors()
  const pids = [server.process.pid, ...(supervisor === undefined ? [] : [supervisor])]
  const [own, others] = await Promise.all(pids.map(rest))
  return { server: own!, supervisor: others, rows: await countRows(server.root) }
}

/** How long a process has to be as small as it gets, in milliseconds, and how often it is looked at. */
const [patience, interval] = [3000, 200]

/**
 * The least that a process takes within some seconds: V8 collects garbage a second after the last call
 * (docs/ARCHITECTURE.md).
 */
async function rest(pid: number): Promise<ProcessFootprint> {
  let [memory, descriptors] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (const deadline = performance.now() + patience; performance.now() < deadline; await delay(interval)) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
    memory = Math.min(memory, Number(/^Pss_Anon:\s+(\d+) kB$/m.exec(rollup)![1]))
    descriptors = Math.min(descriptors, (await readdir(`/proc/${pid}/fd`)).length)
  }
  return { memory, descriptors }
}

/** Steps that do nothing to a copy whatever version it has, since it is read alone. */
const anySteps = Array.from({ length: 100 }, (_, index) => ({ version: index + 1, sql: '' }))

/** Reads copies: another process must not have the database of a server open for long. */
async function countRows(root: string): Promise<Record<string, number>> {
  const snapshotters = await readdir(join(root, 'snapshots'))
  const databases = ['metadata.db', ...snapshotters.map((name) => `snapshots/${name}/metadata.db`)]
  const counts = await Promise.all(
    databases.map(async (name) => {
      await using copies = await tempDir('nsbox-rows')
      const path = join(copies.path, 'copy.db')
      await copyFile(join(root, name), path)
      await copyFile(join(root, `${name}-wal`), `${path}-wal`)
      await using db = await openDatabase({ path, migrations: anySteps })
      const tables = db.all<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'")
      return tables.map(({ name: table }) => {
        const row = db.get<{ count: number }>(`SELECT count(*) AS count FROM "${table}"`)
        return [`${name} ${table}`, row!.count] as const
      })
    }),
  )
  return Object.fromEntries(counts.flat())
}
