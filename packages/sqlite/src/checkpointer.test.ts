import { once } from 'node:events'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { Checkpointer } from './checkpointer.ts'
import { loadEngine } from './engine.js'
import { openDatabase } from './open-database.ts'

test('a thread that has nothing to do ends, and another one does what comes then', async () => {
  await using directory = await tempDir('nsbox-checkpointer')
  const path = join(directory.path, 'x.db')
  const migrations = [{ version: 1, sql: 'CREATE TABLE t (n)' }]
  await using db = await openDatabase({ path, migrations })
  const workers: Worker[] = []
  const note = (worker: Worker) => workers.push(worker)
  process.on('worker', note)
  const checkpointer = new Checkpointer({
    path,
    engine: loadEngine()!.name,
    timeout: 1000,
    idleTimeout: 1,
    onFailedSync: () => {},
  })
  try {
    await checkpointer.run()
    expect(workers).toHaveLength(1)
    await once(workers[0]!, 'exit')
    db.transaction((tx) => tx.run('INSERT INTO t VALUES (1)'))
    await checkpointer.run()
    expect(workers).toHaveLength(2)
    await checkpointer.close()
    expect(workers[1]!.threadId).toBe(-1)
    db.transaction((tx) => tx.run('INSERT INTO t VALUES (2)'))
    expect(db.all('SELECT n FROM t')).toHaveLength(2)
  } finally {
    process.off('worker', note)
  }
})
