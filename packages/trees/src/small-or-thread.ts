import { type JobOf, type ResultOf, type TreeJobKind, walkOf } from './tree-job.ts'
import { treeThread } from './tree-thread.ts'
import { walkInPool } from './walk-in-pool.ts'

/** Most system calls for a tree before the thread for trees takes over. A container's bundle takes some twenty. */
const mostCalls = 400
/** Most concurrent walks by libuv's pool, each of which may have 35 descriptors open. */
const mostWalks = 8

let walks = 0

/** Runs a job on a tree in libuv's pool. If the tree turns out to be large, the thread for trees starts it again. */
export async function smallOrThread<Kind extends TreeJobKind>(
  kind: Kind,
  job: JobOf<Kind>,
  signal: AbortSignal | undefined,
): Promise<ResultOf<Kind>> {
  signal?.throwIfAborted()
  // If the thread is running, sending it a message is cheaper than a call to the pool for each step.
  if (!treeThread.isIdle && walks < mostWalks) {
    walks += 1
    try {
      const walked = await walkInPool(walkOf(kind, job), mostCalls, signal)
      if (walked !== 'unfinished') return walked.value
    } finally {
      walks -= 1
    }
  }
  return await treeThread.run(kind, job, signal)
}
