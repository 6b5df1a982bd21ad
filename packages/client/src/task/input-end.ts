import type { Tasks } from '@nsbox/core/tasks'
import { isFailedPrecondition, isNotFound } from '@nsbox/errors'
import { retryWhileAway } from './retry-while-away.ts'

/** Lets the server end the input of a process. */
export class InputEnd {
  readonly #tasks: Pick<Tasks, 'closeStdin'>
  readonly #containerId: string
  readonly #execId: string
  readonly #allowed: Promise<void>
  /** Called after the start of the process; its input cannot end before. */
  allow: () => void = () => undefined

  constructor(tasks: Pick<Tasks, 'closeStdin'>, containerId: string, execId: string) {
    this.#tasks = tasks
    this.#containerId = containerId
    this.#execId = execId
    this.#allowed = new Promise((resolve) => {
      this.allow = resolve
    })
  }

  /** Ends the input, now or after the start. Does nothing for a process that has ended. */
  async end(): Promise<void> {
    await this.#allowed
    try {
      await retryWhileAway(() => this.#tasks.closeStdin(this.#containerId, { execId: this.#execId }))
    } catch (error) {
      if (!isNotFound(error) && !isFailedPrecondition(error)) throw error
    }
  }
}
