// @ts-check
/**
 * The thread that checkpoints, on a connection of its own. Plain JavaScript, because a worker is loaded by Node itself:
 * from the sources no loader would strip types in it.
 *
 * Protocol: the parent posts `'checkpoint'`, this answers `'done'` or `{ error }`; the parent
 * posts `'close'`, this closes its connection and ends.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { loadEngine } from './engine.js'

if (parentPort === null) throw new Error('the checkpoint worker runs in a worker thread only')
const parent = parentPort
// The parent has the file open, so that it exists.
const engine = loadEngine(workerData.engine)
if (engine === undefined) throw new Error(`there is no ${workerData.engine}`)
const db = engine.open(workerData.path)
db.exec(`PRAGMA busy_timeout = ${workerData.timeout}`)
// NORMAL makes a checkpoint sync the log before, and the database after, it copies pages.
db.exec('PRAGMA synchronous = NORMAL')
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
    const { code, errcode, message } = /** @type {Record<string, unknown>} */ (error)
    parent.postMessage({ error: { code: String(code), errcode: Number(errcode), message: String(message) } })
  }
})
