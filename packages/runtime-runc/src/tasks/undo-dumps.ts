import type { Bundle } from '@nsbox/bundle'
import { removeTree } from '@nsbox/trees'
import { readDump, removeDump } from '../checkpoints/dump-record.ts'
import { undoDump } from '../checkpoints/undo-dump.ts'
import { runcOf } from './create-task.ts'
import type { TaskContext } from './task-context.ts'
import { readTask } from './task-record.ts'

/**
 * Ends checkpoints that an earlier process was making, and lets their tasks be what they were before, as far as they
 * have not ended. One that cannot be brought back keeps no other from it.
 *
 * @param bundles all that there are
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
