import { fromConnectError } from '@nsbox/api'
import type { Bundle, TaskUses } from '@nsbox/bundle'
import { abortable } from '@nsbox/concurrency'
import type { AbortOptions, ProcessExit } from '@nsbox/core/tasks'
import { isNotFound, NsboxError } from '@nsbox/errors'
import type { ShimConnection } from '../shim/shim-connection.ts'
import { fromExit } from './convert.ts'
import { cleanUpAfterShim, deleteByProgram, type LeftTask, removeLeft } from './left-task.ts'
import type { ShimContext } from './shim-context.ts'
import { type TaskRecord, writeTask } from './task-record.ts'

/** How long a shim may take to end, in milliseconds. */
const shutdownTimeout = 3000

/** What a task is made of. */
export interface ShimTaskParts {
  readonly bundle: Bundle
  readonly record: TaskRecord
  readonly uses: TaskUses
  readonly connection: ShimConnection
  readonly log: Disposable
  readonly context: ShimContext
}

/**
 * The task of one container in its shim, which knows and tells all of it. Known here is what outlives the shim: when it
 * has gone without being asked to, its program is asked to clean up, and the end is told in its place.
 */
export class ShimTask {
  readonly namespace: string
  readonly id: string
  readonly bundle: Bundle
  readonly uses: TaskUses
  readonly connection: ShimConnection
  /** Resolves when nothing is left of the task, with how it ended; not for one that is left running. */
  readonly gone: Promise<ProcessExit>
  readonly #context: ShimContext
  readonly #log: Disposable
  #record: TaskRecord
  /** Whether nobody cleans up when the connection ends, or somebody does already. */
  #isLeft = false
  #isLeaving = false
  #settle: (exit: ProcessExit) => void = () => {}
  /** What its shim said when it deleted the task; all that is left then is the server's. */
  #deleted: (ProcessExit & { readonly pid: number }) | undefined

  constructor({ bundle, record, uses, connection, log, context }: ShimTaskParts) {
    this.namespace = bundle.namespace
    this.id = bundle.id
    this.bundle = bundle
    this.uses = uses
    this.connection = connection
    this.#log = log
    this.#record = record
    this.#context = context
    this.gone = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  get record(): TaskRecord {
    return this.#record
  }

  /** Begins to watch the shim. */
  follow(): void {
    void this.connection.closed.then(async () => {
      if (this.#isLeft || this.#deleted !== undefined) return
      this.#isLeft = true
      this.#warn('its shim has gone')
      this.#close()
      this.#settle(await cleanUpAfterShim(this.#left))
    })
  }

  /** Keeps a change of the record, while there is a place for it. */
  change(change: Partial<TaskRecord>): void {
    this.#record = { ...this.#record, ...change }
    if (!this.#isLeft && this.#deleted === undefined) writeTask(this.bundle, this.#record)
  }

  /**
   * Asks the shim for something.
   * @throws the shim's error; `not_found` if it has gone, once it has been cleaned up after it
   */
  async call<T>(
    ask: (task: ShimConnection['task']) => Promise<T>,
    { signal }: AbortOptions = {},
  ): Promise<T> {
    try {
      return await ask(this.connection.task)
    } catch (error) {
      await this.#lost(error, { signal })
      throw new NsboxError('not_found', `task ${this.id} not found`, { cause: error })
    }
  }

  /** How the first process ends, also if the shim goes before it. */
  async exit({ signal }: AbortOptions): Promise<ProcessExit> {
    try {
      return fromExit(await this.connection.task.wait({ id: this.id }, { signal }))
    } catch (error) {
      return await this.#lost(error, { signal })
    }
  }

  /** What is left after a failure can be removed by another deletion. */
  async delete({ signal }: AbortOptions): Promise<ProcessExit & { readonly pid: number }> {
    const { id } = this
    if (this.#deleted === undefined) {
      const answer = await this.call((task) => task.delete({ id }, { signal }), { signal })
      this.#deleted = { ...fromExit(answer), pid: answer.pid }
      await this.#shutDown()
    }
    await removeLeft(this.#left)
    const { pid, ...exit } = this.#deleted
    this.#settle(exit)
    return { ...exit, pid }
  }

  /** Undoes a creation that has failed, however far it had come. */
  async undo(): Promise<void> {
    const { id } = this
    const { connection } = this
    this.#isLeft = true
    this.#isLeaving = true
    const timeoutMs = shutdownTimeout
    const { task } = connection
    // Both fail where nothing runs.
    await task.kill({ id, signal: 9, all: true }, { timeoutMs }).catch(() => undefined)
    await task.wait({ id }, { timeoutMs }).catch(() => undefined)
    try {
      await task.delete({ id }, { timeoutMs })
    } catch (error) {
      if (!isNotFound(fromConnectError(error)) && !connection.isClosed)
        this.#warn('it could not be taken back', error)
    }
    await this.#shutDown()
    // What the shim was about to make when it ended.
    if (!this.#record.isShared) await deleteByProgram(this.#left).catch(() => undefined)
  }

  /** Leaves it to a later process. */
  leave(): void {
    this.#isLeft = true
    this.#isLeaving = true
    this.#close()
  }

  #close(): void {
    this.connection[Symbol.dispose]()
    this.#log[Symbol.dispose]()
  }

  /** A shim of several containers ends with the last one, as it decides. */
  async #shutDown(): Promise<void> {
    const { id, connection } = this
    try {
      if (!this.#record.isShared) await connection.task.shutdown({ id }, { timeoutMs: shutdownTimeout })
    } catch (error) {
      if (!connection.isClosed) this.#warn('its shim does not end', error)
    }
    this.#close()
  }

  /** Waits for the end if an error means that the shim has gone. @throws the error if it means something else */
  async #lost(error: unknown, { signal }: AbortOptions): Promise<ProcessExit> {
    signal?.throwIfAborted()
    if (this.#deleted !== undefined) return this.#deleted
    if (!this.connection.isClosed || this.#isLeaving) throw fromConnectError(error)
    return await abortable(this.gone, { signal })
  }

  get #left(): LeftTask {
    return { bundle: this.bundle, record: this.#record, uses: this.uses, context: this.#context }
  }

  #warn(message: string, error?: unknown): void {
    this.#context.onWarning(`task ${this.namespace}/${this.id}: ${message}`, error)
  }
}
