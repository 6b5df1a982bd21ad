import { availableParallelism } from 'node:os'
import { type AbortOptions, deferred, onAbort } from '@nsbox/concurrency'
import { NsboxError } from '@nsbox/errors'
import { startThread } from '@nsbox/sys/threads'
import type { AppliedTree, ApplyJob } from '../apply/apply-layer.ts'
import type { MadeLayer, MakeLayerJob } from '../compare/make-layer.ts'
import type { Work, WorkKind, WorkToDo } from './protocol.ts'
import { type PoolJob, type SlotTimeouts, type StartWorker, WorkerSlot } from './worker-slot.ts'

const startWorker: StartWorker = (descriptors) => startThread('./worker', import.meta.url, descriptors)

export interface LayerWorkersOptions {
  /**
   * Most threads; they are started when there is work for them, or by `start`. By default as many as there are
   * processors, and two at least: one may follow a download, and other layers must not wait for that.
   */
  readonly threads?: number
  /** Jobs that may wait for a thread; 1024 by default. */
  readonly waiting?: number
  /** Milliseconds that a thread may take to start; 30,000 by default. */
  readonly startTimeout?: number
  /** Milliseconds that an aborted job may take to stop before its thread is terminated; 5000 by default. */
  readonly abortTimeout?: number
  /** Milliseconds without work after which a thread ends, which frees some 18 MB; 2000 by default. */
  readonly idleTimeout?: number
}

/**
 * Threads that apply and make layers, one at a time each. If a thread dies, only its job fails, and it is replaced when
 * there is work. Disposing of the pool ends all threads and rejects running and waiting jobs with `canceled`.
 */
export class LayerWorkers implements AsyncDisposable {
  readonly #threads: number
  readonly #maxWaiting: number
  readonly #timeouts: SlotTimeouts
  readonly #start: StartWorker
  readonly #slots = new Set<WorkerSlot>()
  readonly #waiting: PoolJob[] = []
  #closed = false

  /** @param start starts a thread that speaks the protocol of `protocol.ts` */
  constructor(options: LayerWorkersOptions = {}, start: StartWorker = startWorker) {
    this.#threads = options.threads ?? Math.max(2, availableParallelism())
    this.#maxWaiting = options.waiting ?? 1024
    this.#timeouts = {
      start: options.startTimeout ?? 30_000,
      abort: options.abortTimeout ?? 5000,
      idle: options.idleTimeout ?? 2000,
    }
    this.#start = start
  }

  /** Whether any thread exists, including idle ones. */
  get hasThreads(): boolean {
    return this.#slots.size > 0
  }

  /** Starts a thread if there is none, for work that is about to come. */
  start(): void {
    if (!this.#closed && this.#slots.size === 0) this.#newSlot()
  }

  /**
   * `applyLayer` in a thread, with its errors; also `internal` if the thread dies, `resource_exhausted` if too many
   * jobs wait, `failed_precondition` after the pool was disposed of. Once it has settled, even by an abort, nothing is
   * written to the directory any more.
   */
  async apply(job: ApplyJob, options: AbortOptions = {}): Promise<AppliedTree> {
    return await this.#work({ kind: 'apply', job }, `applying a layer to ${job.root}`, options)
  }

  /**
   * `makeLayer` in a thread, with its errors and those of `apply`. The job's port goes to the thread; close its other
   * end if the call fails.
   */
  async compare(job: MakeLayerJob, options: AbortOptions = {}): Promise<MadeLayer> {
    return await this.#work({ kind: 'compare', job }, `making a layer of ${job.source.upper}`, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    for (const { reject, description } of this.#waiting.splice(0))
      reject(new NsboxError('canceled', `${description}: the layer workers are stopping`))
    await Promise.all([...this.#slots].map((slot) => slot.stop()))
  }

  async #work<Kind extends WorkKind>(
    work: WorkToDo & { readonly kind: Kind },
    description: string,
    { signal }: AbortOptions,
  ): Promise<Work[Kind]['result']> {
    signal?.throwIfAborted()
    if (this.#closed) throw new NsboxError('failed_precondition', 'the layer workers were stopped')
    if (this.#waiting.length >= this.#maxWaiting)
      throw new NsboxError('resource_exhausted', `${this.#maxWaiting} layers wait for a worker`)
    const { promise, resolve, reject } = deferred<Work[Kind]['result']>()
    const job: PoolJob = { work, description, resolve: resolve as PoolJob['resolve'], reject }
    using _aborting = onAbort(signal, () => this.#drop(job, () => reject(signal?.reason)))
    this.#waiting.push(job)
    this.#assign()
    return await promise
  }

  #assign(): void {
    if (this.#closed) return
    while (this.#waiting.length > 0) {
      const slot = this.#freeSlot()
      if (slot === undefined) return
      slot.run(this.#waiting.shift()!)
    }
  }

  #freeSlot(): WorkerSlot | undefined {
    for (const slot of this.#slots)
      if (slot.state === 'idle' || (slot.state === 'starting' && !slot.hasJob)) return slot
    return this.#slots.size >= this.#threads ? undefined : this.#newSlot()
  }

  #newSlot(): WorkerSlot {
    const slot = new WorkerSlot(this.#start, this.#timeouts, (freed) => {
      if (freed.state === 'ended') this.#slots.delete(freed)
      this.#assign()
    })
    this.#slots.add(slot)
    return slot
  }

  #drop(job: PoolJob, dropped: () => void): void {
    const index = this.#waiting.indexOf(job)
    if (index < 0) {
      for (const slot of this.#slots) slot.abort(job, dropped)
      return
    }
    this.#waiting.splice(index, 1)
    dropped()
  }
}
