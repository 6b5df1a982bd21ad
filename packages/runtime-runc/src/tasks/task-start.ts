import type { AbortOptions, ProcessIo } from '@nsbox/core/tasks'
import { isNotFound } from '@nsbox/errors'
import type { Runc } from '../runc/runc.ts'
import { untilExecuted } from '../runc/until-executed.ts'
import type { Shortcuts } from '../runc-internals/shortcuts.ts'
import type { FirstProcess } from './first-process.ts'

/** How the first process of a task is started, and how the container is removed afterwards. */
export interface TaskStart {
  /** Starts the process, which may have to be made first. Can be repeated after an error. */
  run(first: FirstProcess, options: AbortOptions): Promise<void>

  /** Removes the container once its first process has ended, or what failed starts have left of it. */
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

  /** Once begun it is completed, since a part of it cannot be undone. */
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
