import type { AbortOptions, ProcessIo } from '@nsbox/core/tasks'
import type { Runc } from '../runc/runc.ts'
import type { FirstProcess } from './first-process.ts'

/** Lets the first process of a task run, which it may have to make. After an error it can be done again. */
export type TaskStart = (first: FirstProcess, options: AbortOptions) => Promise<void>

/** What starts a process that waits for it. Once begun it is seen through: half of it cannot be taken back. */
export function startOfCreated(runc: Runc, id: string, io: ProcessIo): TaskStart {
  return async (first) => {
    if (io.stdin !== '' && !io.terminal) await first.keepStdin()
    await runc.start(id)
  }
}
