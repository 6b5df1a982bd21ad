import type { Bundle } from '@nsbox/bundle'
import { removeTree } from '@nsbox/trees'
import { readDump, removeDump } from '../checkpoints/dump-record.ts'
import { undoDump } from '../checkpoints/undo-dump.ts'
import { runcOf } from './create-task.ts'
import type { TaskContext } from './task-context.ts'
import { readTask } from './task-record.ts'

/**
 * Ends checkpoints of an earlier process, and makes their tasks run, or be paused, as before, unless they have ended. A
 * task that cannot be restored to its state does not prevent others.
 *
 * @param bundles all bundles
 */
export async function undoDumps(bundles: readonly Bundle[], { onWarning }: TaskContext): Promise<void> {
  await Promise.all(
    bundles.map(async (bundle) => {
      try {
        await undo(bundle)
      } catch (error) {
        onWarning(`bringing back task ${bundle.namespace}/${bundle.id} from its checkpoint`, error)
      }
    }),
  )
}

async function undo(bundle: Bundle): Promise<void> {
  const dump = readDump(bundle)
  if (dump === undefined) return
  const record = readTask(bundle)
  if (record === undefined) return
  await undoDump({ ...dump, runc: runcOf(record.choice, bundle), id: bundle.id, pid: record.pid })
  await removeTree(bundle.criu)
  removeDump(bundle)
}
