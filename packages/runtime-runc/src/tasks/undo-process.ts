import { isNotFound } from '@nsbox/errors'
import type { SupervisedProcess } from '@nsbox/supervisor'
import type { Runc } from '../runc/runc.ts'
import type { TaskContext } from './task-context.ts'

/** Kills a process that was made in vain, and forgets it. */
export async function end(process: SupervisedProcess): Promise<void> {
  try {
    process.signal(9)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  await process.exit
  await process.release()
}

/** Removes what the runtime knows of a container that was made in part or in vain; none is fine as well. */
export async function removeContainer(runc: Runc, id: string, { onWarning }: TaskContext): Promise<void> {
  try {
    await runc.delete(id, { force: true })
  } catch (error) {
    // What made it necessary stays the error that the caller sees.
    if (!isNotFound(error)) onWarning(`removing what is left of container ${id}`, error)
  }
}
