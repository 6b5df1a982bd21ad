import type { Tasks } from '@nsbox/core/tasks'
import { isFailedPrecondition, isNotFound } from '@nsbox/errors'

/** Lets the server end the input of a process. */
export class InputEnd {
  readonly #tasks: Pick<Tasks, 'closeStdin'>
  readonly #containerId: string
  readonly #execId: string
  readonly #allowed: Promise<void>
  /** Called when the process has been started: not before can its input end. */
  allow: () => void = () => undefined

  constructor(tasks: Pick<Tasks, 'closeStdin'>, containerId: string, execId: string) {
    this.#tasks = tasks
    this.#containerId = containerId
    this.#execId = execId
    this.#allowed = new Promise((resolve) => {
      this.allow = resolve
    })
  }

  /** Ends the input, now or after the start. A process that has ended needs none. */
  async end(): Promise<void> {
    await this.#allowed
    try {
      await this.#tasks.closeStdin(this.#containerId, { execId: this.#execId })
    } catch (error) {
      if (!isNotFound(error) && !isFailedPrecondition(error)) throw error
    }
  }
}
