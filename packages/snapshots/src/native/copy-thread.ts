import type { Worker } from 'node:worker_threads'
import type { AbortOptions } from '@nsbox/core/snapshots'
import { deserializeError, NsboxError } from '@nsbox/errors'
import { startThread } from '@nsbox/sys/threads'
import type { CopyJob, FromCopyThread, ToCopyThread } from './copy-job.ts'

interface Waiting {
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/**
 * A thread that copies trees, one after another, since they would only take the disk from each other. It is started when
 * there is something to copy, and keeps the process alive only meanwhile. If it dies, what it was given fails, and the
 * next tree gets another thread.
 */
export class CopyThread implements AsyncDisposable {
  readonly #start: () => Worker
  #worker: Worker | undefined
  /** In the order in which the thread was told: the first is what it does. */
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  /** @param start starts a thread that does as `copy-worker.ts` */
  constructor(start: () => Worker = () => startThread('./copy-worker', import.meta.url)) {
    this.#start = start
  }

  /**
   * `copyTree`, with its errors; `internal` if the thread dies. Once it has settled, by an abort too, nothing is written
   * any more.
   */
  async copy(job: CopyJob, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    const id = ++this.#lastId
    const canceled = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    const cancel = () => {
      Atomics.store(canceled, 0, 1)
      // What the thread has not begun it will not begin.
      if (this.#waiting.keys().next().value !== id) this.#settled(id)?.reject(signal?.reason)
    }
    signal?.addEventListener('abort', cancel)
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject })
        const worker = this.#running()
        worker.ref()
        worker.postMessage({ id, job, canceled } satisfies ToCopyThread)
      })
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }

  /** Ends the thread; nothing may be left to copy. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate()
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = this.#start()
    const ended = (cause: unknown) => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      for (const id of [...this.#waiting.keys()])
        this.#settled(id)?.reject(new NsboxError('internal', 'the thread that copies trees ended', { cause }))
    }
    worker.on('message', ({ id, error }: FromCopyThread) => {
      const waiting = this.#settled(id)
      if (error === undefined) waiting?.resolve()
      else waiting?.reject(deserializeError(error))
    })
    worker.on('error', ended)
    worker.on('exit', (code) => ended(new Error(`exit code ${code}`)))
    this.#worker = worker
    return worker
  }

  #settled(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (this.#waiting.size === 0) this.#worker?.unref()
    return waiting
  }
}
