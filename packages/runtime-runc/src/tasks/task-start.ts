import type { AbortOptions, ProcessIo } from '@nsbox/core/tasks'
import { isNotFound } from '@nsbox/errors'
import type { Runc } from '../runc/runc.ts'
import { untilExecuted } from '../runc/until-executed.ts'
import type { Shortcuts } from '../runc-internals/shortcuts.ts'
import type { FirstProcess } from './first-process.ts'

/** How the first process of a task comes to run, and what is to be removed for that afterwards. */
export interface TaskStart {
  /** Lets the process run, which it may have to make. After an error it can be done again. */
  run(first: FirstProcess, options: AbortOptions): Promise<void>

  /** Removes the container once its first process has ended, or what starts that failed have left of it. */
  remove(first: FirstProcess): Promise<void>
}

/** The start of a process that waits for it. */
export class CreatedStart implements TaskStart {
  readonly #shortcuts: Shortcuts
  readonly #runc: Runc
  readonly #id: string
  readonly #io: ProcessIo

  constructor(shortcuts: Shortcuts, runc: Runc, id: string, io: ProcessIo) {
    this.#shortcuts = shortcuts
    this.#runc = runc
    this.#id = id
    this.#io = io
  }

  /** Once begun it is seen through: half of it cannot be taken back. */
  async run(first: FirstProcess): Promise<void> {
    if (this.#io.stdin !== '' && !this.#io.terminal) await first.keepStdin()
    await this.#shortcuts.start(this.#runc, this.#id)
    await untilExecuted(first.pid)
  }

  async remove(): Promise<void> {
    await deleteContainer(this.#shortcuts, this.#runc, this.#id)
  }
}

/** Removes a container that has ended. */
export async function deleteContainer(shortcuts: Shortcuts, runc: Runc, id: string): Promise<void> {
  try {
    await shortcuts.delete(runc, id)
  } catch (error) {
    // Another program has used the runtime.
    if (!isNotFound(error)) throw error
  }
}
