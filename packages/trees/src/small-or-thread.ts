import { type JobOf, type ResultOf, type TreeJobKind, walkOf } from './tree-job.ts'
import { treeThread } from './tree-thread.ts'
import { walkInPool } from './walk-in-pool.ts'

/** System calls within which a tree is done with without a thread of its own: that of a container's bundle has some twenty. */
const mostCalls = 400
/** Walks by libuv's pool at once, each of which may have 35 descriptors open. */
const mostWalks = 8

let walks = 0

/**
 * Does something with a tree: by libuv's pool as long as it proves to be small, otherwise by the thread for trees, from the
 * beginning.
 */
export async function smallOrThread<Kind extends TreeJobKind>(
  kind: Kind,
  job: JobOf<Kind>,
  signal: AbortSignal | undefined,
): Promise<ResultOf<Kind>> {
  signal?.throwIfAborted()
  // A thread that is there anyway takes one message instead of a switch of threads for each call.
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
