// @ts-check
/**
 * The thread that checkpoints, on a connection of its own. Plain JavaScript, because a worker is loaded by Node itself:
 * from the sources no loader would strip types in it.
 *
 * Protocol: the parent posts `'checkpoint'`, this answers `'done'` or `{ error }`; the parent
 * posts `'close'`, this closes its connection and ends.
 */
import { parentPort, workerData } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'

if (parentPort === null) throw new Error('the checkpoint worker runs in a worker thread only')
const parent = parentPort
const db = new Sqlite(workerData.path, { fileMustExist: true, timeout: workerData.timeout })
// NORMAL makes a checkpoint sync the log before, and the database after, it copies pages.
db.pragma('synchronous = NORMAL')
// PASSIVE is the one kind that never makes a writer wait.
const passive = db.prepare('PRAGMA wal_checkpoint(PASSIVE)')

/** Pages that are written during a pass remain; each pass is shorter than the one before, so that a few catch up. */
function checkpoint() {
  for (let pass = 0; pass < 3; pass++) {
    const { log, checkpointed } = /** @type {{ log: number, checkpointed: number }} */ (passive.get())
    if (checkpointed >= log) break
  }
}

parent.on('message', (message) => {
  if (message === 'close') {
    db.close()
    parent.close()
    return
  }
  try {
    checkpoint()
    parent.postMessage('done')
  } catch (error) {
    const { code, message } = /** @type {{ code?: unknown, message?: unknown }} */ (error)
    parent.postMessage({ error: { code: String(code), message: String(message) } })
  }
})
