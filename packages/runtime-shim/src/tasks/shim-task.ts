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

/** Milliseconds that a shim may take to end. */
const shutdownTimeout = 3000

/** The parts of a task. */
export interface ShimTaskParts {
  readonly bundle: Bundle
  readonly record: TaskRecord
  readonly uses: TaskUses
  readonly connection: ShimConnection
  readonly log: Disposable
  readonly context: ShimContext
}

/**
 * The task of one container in its shim, which holds its state. Stored here is what outlives the shim: if it ends
 * unasked, its program cleans up, and the task's end is reported here.
 */
export class ShimTask {
  readonly namespace: string
  readonly id: string
  readonly bundle: Bundle
  readonly uses: TaskUses
  readonly connection: ShimConnection
  /** Resolves with its end when nothing is left of the task; never for one that is left running. */
  readonly gone: Promise<ProcessExit>
  readonly #context: ShimContext
  readonly #log: Disposable
  #record: TaskRecord
  /** Whether nobody cleans up when the connection ends, or that has begun already. */
  #isLeft = false
  #isLeaving = false
  #cleaning: Promise<unknown> | undefined
  #settle: (exit: ProcessExit) => void = () => {}
  /** The shim's answer to the deletion; only the server's part of the task is left then. */
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
      const cleaning = cleanUpAfterShim(this.#left)
      this.#cleaning = cleaning
      this.#settle(await cleaning)
    })
  }

  /** Changes the record, and stores it while the bundle exists. */
  change(change: Partial<TaskRecord>): void {
    this.#record = { ...this.#record, ...change }
    if (!this.#isLeft && this.#deleted === undefined) writeTask(this.bundle, this.#record)
  }

  /**
   * Sends a request to the shim.
   * @throws the shim's error; `not_found` if the shim has ended, once it has been cleaned up
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

  /** Resolves with the end of the first process, even if the shim ends first. */
  async exit({ signal }: AbortOptions): Promise<ProcessExit> {
    try {
      return fromExit(await this.connection.task.wait({ id: this.id }, { signal }))
    } catch (error) {
      return await this.#lost(error, { signal })
    }
  }

  /** After a failure, another deletion can remove the rest. */
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

  /** Undoes a creation that failed at any step. */
  async undo(): Promise<void> {
    const { id } = this
    const { connection } = this
    this.#isLeft = true
    this.#isLeaving = true
    const timeoutMs = shutdownTimeout
    const { task } = connection
    // Both fail if nothing runs.
    await task.kill({ id, signal: 9, all: true }, { timeoutMs }).catch(() => undefined)
    await task.wait({ id }, { timeoutMs }).catch(() => undefined)
    try {
      await task.delete({ id }, { timeoutMs })
    } catch (error) {
      if (!isNotFound(fromConnectError(error)) && !connection.isClosed)
        this.#warn('it cannot be deleted after its creation failed', error)
    }
    await this.#shutDown()
    // The shim may have ended while it made something.
    if (!this.#record.isShared) await deleteByProgram(this.#left).catch(() => undefined)
  }

  /** Leaves it to a later process, which must not find a clean-up under way. */
  async leave(): Promise<void> {
    this.#isLeft = true
    this.#isLeaving = true
    this.#close()
    await this.#cleaning
  }

  #close(): void {
    this.connection[Symbol.dispose]()
    this.#log[Symbol.dispose]()
  }

  /** A shim of several containers decides itself to end with the last one. */
  async #shutDown(): Promise<void> {
    const { id, connection } = this
    try {
      if (!this.#record.isShared) await connection.task.shutdown({ id }, { timeoutMs: shutdownTimeout })
    } catch (error) {
      if (!connection.isClosed) this.#warn('its shim does not end', error)
    }
    this.#close()
  }

  /** If an error means that the shim has ended, waits for the clean-up. @throws any other error */
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
