import type { Transferable, Worker } from 'node:worker_threads'
import { deferred } from '@nsbox/concurrency'
import { deserializeError, NsboxError } from '@nsbox/errors'
import { closeAbandoned, descriptorTable } from '@nsbox/sys/files'
import type { FromWorker, ToWorker, Work, WorkKind, WorkToDo } from './protocol.ts'

/** A job in the pool. */
export interface PoolJob {
  readonly work: WorkToDo
  /** For errors, such as `applying a layer to /…`. */
  readonly description: string
  readonly resolve: (result: Work[WorkKind]['result']) => void
  readonly reject: (reason: unknown) => void
}

/** @param descriptors shared memory in which the thread records its open descriptors (`keepDescriptorsIn`) */
export type StartWorker = (descriptors: SharedArrayBuffer) => Worker

export interface SlotTimeouts {
  /** Milliseconds that a thread may take to start. */
  readonly start: number
  /** Milliseconds that an aborted job may take to end. */
  readonly abort: number
  /** Milliseconds without work after which it ends. */
  readonly idle: number
}

/**
 * One thread of a pool.
 *
 * - `starting` from its construction until it says `ready`; it may have a job, which it gets then
 * - `idle` without a job
 * - `busy` with one
 * - `aborting` while it ends an aborted job
 * - `ended` after it has died, was terminated because it took too long, or had nothing to do; its descriptors are
 *   closed once it is gone
 *
 * A job that it has when it ends is rejected with `internal` and the reason.
 */
export class WorkerSlot {
  readonly #worker: Worker
  readonly #descriptors = descriptorTable()
  readonly #timeouts: SlotTimeouts
  readonly #onFree: (slot: WorkerSlot) => void
  #state: 'starting' | 'idle' | 'busy' | 'aborting' | 'ended' = 'starting'
  #job: PoolJob | undefined
  #id = 0
  #timer: NodeJS.Timeout | undefined
  #onStopped: (() => void) | undefined
  /** Resolved when the thread is ready, or gone. */
  readonly #started = deferred()
  #gone: Promise<void> | undefined

  /** @param onFree called whenever the state has become `idle` or `ended` */
  constructor(start: StartWorker, timeouts: SlotTimeouts, onFree: (slot: WorkerSlot) => void) {
    this.#timeouts = timeouts
    this.#onFree = onFree
    this.#worker = start(this.#descriptors)
    this.#worker.unref()
    this.#worker.on('message', (message: FromWorker) => this.#receive(message))
    this.#worker.on('messageerror', (cause) => this.#end('said something that cannot be read', cause))
    this.#worker.on('error', (cause) => this.#end('failed', cause))
    this.#worker.on('exit', (code) => {
      this.#started.resolve()
      closeAbandoned(this.#descriptors)
      this.#end(`exited with code ${code}`)
    })
    this.#arm(timeouts.start, 'did not start in time')
  }

  get state(): 'starting' | 'idle' | 'busy' | 'aborting' | 'ended' {
    return this.#state
  }

  get hasJob(): boolean {
    return this.#job !== undefined
  }

  /** Gives it a job; it must be `idle`, or `starting` without one. */
  run(job: PoolJob): void {
    this.#job = job
    // A thread keeps the process alive only while it has work.
    this.#worker.ref()
    if (this.#state !== 'idle') return
    clearTimeout(this.#timer)
    this.#state = 'busy'
    this.#begin(job)
  }

  /**
   * Aborts a job; does nothing if the thread has another one by now.
   * @param stopped called once the job has stopped
   */
  abort(job: PoolJob, stopped: () => void): void {
    if (this.#job !== job) return
    this.#job = undefined
    if (this.#state !== 'busy') {
      this.#worker.unref()
      stopped()
      return
    }
    this.#onStopped = stopped
    this.#state = 'aborting'
    this.#say({ say: 'abort', id: this.#id })
    this.#arm(this.#timeouts.abort, 'did not stop in time')
  }

  /**
   * Resolves when the thread has ended. Its job is rejected with `canceled` and has as much time to stop as an aborted
   * one, so that it can clean up.
   */
  async stop(): Promise<void> {
    const job = this.#job
    if (job !== undefined) {
      job.reject(new NsboxError('canceled', `${job.description}: the worker was stopped`))
      await new Promise<void>((resolve) => this.abort(job, resolve))
    }
    this.#end('was stopped')
    await this.#gone
  }

  #begin(job: PoolJob): void {
    this.#id += 1
    const { work } = job
    this.#say({ say: 'run', id: this.#id, ...work }, work.kind === 'compare' ? [work.job.output] : [])
  }

  #say(message: ToWorker, handedOver: readonly Transferable[] = []): void {
    this.#worker.postMessage(message, handedOver)
  }

  #receive(message: FromWorker): void {
    this.#started.resolve()
    if (this.#state === 'ended') return
    clearTimeout(this.#timer)
    const job = this.#job
    if (message.say === 'ready') {
      this.#state = job === undefined ? 'idle' : 'busy'
      if (job !== undefined) this.#begin(job)
      else this.#free()
      return
    }
    this.#state = 'idle'
    this.#job = undefined
    this.#worker.unref()
    if (message.say === 'done') job?.resolve(message.result)
    else job?.reject(deserializeError(message.error))
    this.#stopped()
    this.#free()
  }

  #free(): void {
    this.#arm(this.#timeouts.idle, 'had nothing to do')
    this.#onFree(this)
  }

  #stopped(): void {
    const stopped = this.#onStopped
    this.#onStopped = undefined
    stopped?.()
  }

  #arm(milliseconds: number, what: string): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#end(what)
    }, milliseconds)
    this.#timer.unref()
  }

  #end(what: string, cause?: unknown): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    clearTimeout(this.#timer)
    const job = this.#job
    this.#job = undefined
    const options = cause === undefined ? {} : { cause }
    job?.reject(new NsboxError('internal', `${job.description}: the worker ${what}`, options))
    this.#gone = this.#terminate().then(() => this.#stopped())
    this.#onFree(this)
  }

  /**
   * Terminates the thread, but never while it starts: a native module that is being loaded would then crash the process
   * instead of throwing.
   */
  async #terminate(): Promise<void> {
    this.#worker.ref()
    const patience = setTimeout(this.#started.resolve, this.#timeouts.start)
    await this.#started.promise
    clearTimeout(patience)
    await this.#worker.terminate()
  }
}
