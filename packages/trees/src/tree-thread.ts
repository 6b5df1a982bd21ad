import type { Worker } from 'node:worker_threads'
import { onAbort } from '@nsbox/concurrency'
import { deserializeError, NsboxError } from '@nsbox/errors'
import { closeAbandoned, descriptorTable } from '@nsbox/sys/files'
import { startThread } from '@nsbox/sys/threads'
import type { FromTreeThread, JobOf, ResultOf, ToTreeThread, TreeJobKind } from './tree-job.ts'

/** Starts a thread that runs `tree-worker.ts` and records its open descriptors in a table. */
export type StartTreeThread = (descriptors: SharedArrayBuffer) => Worker

export interface TreeThreadOptions {
  /** Milliseconds without work after which the thread ends; 2000 by default. */
  readonly idleTimeout?: number
  /** Most concurrent jobs; the others wait. Each may have 70 descriptors open. 8 by default. */
  readonly atOnce?: number
}

interface Job {
  readonly id: number
  readonly kind: TreeJobKind
  readonly job: JobOf<TreeJobKind>
  readonly resolve: (result: ResultOf<TreeJobKind>) => void
  readonly reject: (reason: unknown) => void
}

const start: StartTreeThread = (descriptors) => startThread('./tree-worker', import.meta.url, descriptors)

/**
 * A thread for large trees. It is started when there is work, keeps the process alive only while it works, and ends
 * after a while without. If it dies, its jobs fail and the next one starts another thread.
 */
export class TreeThread {
  readonly #start: StartTreeThread
  readonly #idleTimeout: number
  readonly #atOnce: number
  readonly #waiting: Job[] = []
  readonly #running = new Map<number, Job>()
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  #lastId = 0

  constructor(options: TreeThreadOptions = {}, startWith: StartTreeThread = start) {
    this.#idleTimeout = options.idleTimeout ?? 2000
    this.#atOnce = options.atOnce ?? 8
    this.#start = startWith
  }

  /** Whether there is a thread, idle ones included. */
  get isThere(): boolean {
    return this.#worker !== undefined
  }

  /** Whether it is running and idle. */
  get isIdle(): boolean {
    return this.isThere && this.#running.size === 0
  }

  /**
   * Runs a job in the thread, with the job's errors; `internal` if the thread dies. Once it has settled, even by an
   * abort, nothing more is done.
   */
  async run<Kind extends TreeJobKind>(
    kind: Kind,
    job: JobOf<Kind>,
    signal: AbortSignal | undefined,
  ): Promise<ResultOf<Kind>> {
    signal?.throwIfAborted()
    const id = ++this.#lastId
    using _canceling = onAbort(signal, () => this.#cancel(id, signal?.reason))
    try {
      return await new Promise<ResultOf<Kind>>((resolve, reject) => {
        this.#waiting.push({ id, kind, job, resolve: resolve as Job['resolve'], reject })
        this.#assign()
      })
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  }

  #assign(): void {
    while (this.#running.size < this.#atOnce) {
      const job = this.#waiting.shift()
      if (job === undefined) break
      this.#running.set(job.id, job)
      const { id, kind } = job
      this.#say({ say: 'run', id, kind, job: job.job })
    }
    if (this.#running.size > 0) return
    const worker = this.#worker
    worker?.unref()
    this.#idle = setTimeout(() => {
      // No messages after this one, which it would not read.
      worker?.postMessage({ say: 'end' } satisfies ToTreeThread)
      if (this.#worker === worker) this.#worker = undefined
    }, this.#idleTimeout).unref()
  }

  #say(message: ToTreeThread): void {
    clearTimeout(this.#idle)
    this.#worker ??= this.#startWorker()
    this.#worker.ref()
    this.#worker.postMessage(message)
  }

  #cancel(id: number, reason: unknown): void {
    const at = this.#waiting.findIndex((job) => job.id === id)
    if (at >= 0) this.#waiting.splice(at, 1)[0]!.reject(reason)
    else if (this.#running.has(id)) this.#say({ say: 'cancel', id })
  }

  #startWorker(): Worker {
    const descriptors = descriptorTable()
    const worker = this.#start(descriptors)
    const ended = (cause: unknown) => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      const failed = [...this.#running.values()]
      this.#running.clear()
      for (const { reject } of failed)
        reject(new NsboxError('internal', 'the thread for trees ended', { cause }))
      this.#assign()
    }
    worker.on('message', ({ id, ...said }: FromTreeThread) => {
      const job = this.#running.get(id)
      this.#running.delete(id)
      if (said.error !== undefined) job?.reject(deserializeError(said.error))
      else job?.resolve(said.result)
      this.#assign()
    })
    worker.on('error', ended)
    worker.on('exit', (code) => {
      closeAbandoned(descriptors)
      ended(new Error(`exit code ${code}`))
    })
    return worker
  }
}

/** The thread of this process. */
export const treeThread = new TreeThread()

/** Whether the thread for trees exists, idle or not. */
export function hasTreeThread(): boolean {
  return treeThread.isThere
}
