import type { AbortOptions, ProcessIo } from '@nsbox/core/tasks'
import type { Runc } from '../runc/runc.ts'
import type { FirstProcess } from './first-process.ts'

/** What a start is given by its task. */
export interface TaskStartOptions extends AbortOptions {
  /** To be called with a process that the start has made, before the start counts as one. */
  readonly adopt: (first: FirstProcess) => Promise<void>
}

/** Lets the first process of a task run, which it may have to make. After an error it can be done again. */
export type TaskStart = (options: TaskStartOptions) => Promise<FirstProcess>

/** What starts a process that waits for it. Once begun it is seen through: half of it cannot be taken back. */
export function startOfCreated(runc: Runc, id: string, io: ProcessIo, first: FirstProcess): TaskStart {
  return async () => {
    if (io.stdin !== '' && !io.terminal) await first.keepStdin()
    await runc.start(id)
    return first
  }
}
