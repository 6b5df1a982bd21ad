import type { Transferable, Worker } from 'node:worker_threads'
import { deferred } from '@nsbox/concurrency'
import { deserializeError, NsboxError } from '@nsbox/errors'
import { closeAbandoned, descriptorTable } from '@nsbox/sys/files'
import type { FromWorker, ToWorker, Work, WorkKind, WorkToDo } from './protocol.ts'

/** A piece of work on its way through the pool. */
export interface PoolJob {
  readonly work: WorkToDo
  /** For errors, such as `applying a layer to /…`. */
  readonly description: string
  readonly resolve: (result: Work[WorkKind]['result']) => void
  readonly reject: (reason: unknown) => void
}

/** @param descriptors shared memory in which the thread notes what it has open (`keepDescriptorsIn`) */
export type StartWorker = (descriptors: SharedArrayBuffer) => Worker

export interface SlotTimeouts {
  /** Milliseconds that a thread may take to start. */
  readonly start: number
  /** Milliseconds that work which was aborted may take to end. */
  readonly abort: number
  /** Milliseconds that it may have nothing to do, after which it ends. */
  readonly idle: number
}

/**
 * One thread of a pool.
 *
 * - `starting` from its construction until it says `ready`; it may hold a job, which it is given then
 * - `idle` without a job
 * - `busy` with one
 * - `aborting` while it ends a job that nobody waits for any more
 * - `ended` after it has died, by itself, because it took too long or because there was nothing to do; it never works again, and what it had open is
 *   closed once it is gone
 *
 * A job that it holds when it ends is rejected with `internal`, which says what the thread died of.
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
  /** Resolved when the thread has said that it is ready, or is gone. */
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
    // Only while there is work does a thread keep the process alive.
    this.#worker.ref()
    if (this.#state !== 'idle') return
    clearTimeout(this.#timer)
    this.#state = 'busy'
    this.#begin(job)
  }

  /**
   * Ends a job whose caller has given up; nothing if it has another one by now.
   * @param stopped called once the job does nothing any more
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
   * Resolves when the thread has ended. What it does is rejected with `canceled`, and it is left the time to stop that
   * an abort has, so that it ends what it has started.
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
    job?.reject(
      new NsboxError(
        'internal',
        `${job.description}: the worker ${what}`,
        cause === undefined ? {} : { cause },
      ),
    )
    this.#gone = this.#terminate().then(() => this.#stopped())
    this.#onFree(this)
  }

  /**
   * Ends the thread, but not while it starts, as long as that may take: what is native of what it loads then could not
   * throw any more, and ends the process instead.
   */
  async #terminate(): Promise<void> {
    this.#worker.ref()
    const patience = setTimeout(this.#started.resolve, this.#timeouts.start)
    await this.#started.promise
    clearTimeout(patience)
    await this.#worker.terminate()
  }
}
