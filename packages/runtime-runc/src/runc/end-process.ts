import { isNotFound } from '@nsbox/errors'
import type { SupervisedProcess } from '@nsbox/supervisor'

/** Kills a process that is not needed, and makes the supervisor forget it. */
export async function endProcess(process: SupervisedProcess): Promise<void> {
  await killProcess(process)
  await process.release()
}

/** Kills a process, and waits for its end. */
export async function killProcess(process: SupervisedProcess): Promise<void> {
  try {
    process.signal(9)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  await process.exit
}
