import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { NsboxError } from '@nsbox/errors'
import type { EngineName } from './engine.js'
import { codeOfResult, isFailedSync, resultOf } from './sqlite-error.ts'

type Answer =
  | 'done'
  | { readonly error: { readonly code: string; readonly errcode: number; readonly message: string } }

interface CheckpointerOptions {
  readonly path: string
  /** That of the database's own connection. */
  readonly engine: EngineName
  /** How long the worker's connection waits for a lock, in milliseconds. */
  readonly timeout: number
  /** Milliseconds that a worker waits for the next checkpoint; one second by default. */
  readonly idleTimeout?: number | undefined
  /** Called when a checkpoint could not sync. */
  readonly onFailedSync: (cause: unknown) => void
}

/** A worker takes some megabytes, and 50 ms to start. */
const defaultIdleTimeout = 1000

/**
 * Runs checkpoints in a worker thread, one at a time. States: no worker (no checkpoint was requested yet, the worker
 * was idle for a while, or it died) → idle → running → idle. A worker that dies fails the checkpoint under way, and the
 * next checkpoint starts another worker.
 */
export class Checkpointer {
  readonly #options: CheckpointerOptions
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  /** Idle workers that are ending. */
  #ending: Promise<unknown> = Promise.resolve()
  #running: Promise<void> | undefined

  constructor(options: CheckpointerOptions) {
    this.#options = options
  }

  get running(): boolean {
    return this.#running !== undefined
  }

  /** Runs a checkpoint, or joins the one that runs. */
  run(): Promise<void> {
    this.#running ??= this.#ask().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Ends the worker after the running checkpoint. */
  async close(): Promise<void> {
    await this.#running?.catch(() => undefined)
    this.#end()
    await this.#ending
  }

  #end(): void {
    clearTimeout(this.#idle)
    const worker = this.#worker
    if (worker === undefined) return
    this.#worker = undefined
    // Until it has closed its connection.
    worker.ref()
    this.#ending = Promise.all([this.#ending, once(worker, 'exit')])
    worker.postMessage('close')
  }

  async #ask(): Promise<void> {
    const worker = this.#start()
    const controller = new AbortController()
    const { signal } = controller
    try {
      worker.postMessage('checkpoint')
      const [answer] = (await Promise.race([
        once(worker, 'message', { signal }),
        once(worker, 'exit', { signal }).then(([code]) => {
          throw new NsboxError('unavailable', `the checkpoint worker ended with ${code}`)
        }),
      ])) as [Answer]
      if (answer === 'done') return
      const result = resultOf(answer.error) ?? answer.error.code
      const context = `checkpoint of ${this.#options.path}: ${answer.error.message}`
      const error = new NsboxError(codeOfResult(result) ?? 'unknown', context, {
        details: { sqlite: result },
      })
      if (isFailedSync(result)) this.#options.onFailedSync(error)
      throw error
    } finally {
      controller.abort()
      this.#idle = setTimeout(() => this.#end(), this.#options.idleTimeout ?? defaultIdleTimeout).unref()
    }
  }

  #start(): Worker {
    clearTimeout(this.#idle)
    if (this.#worker !== undefined) return this.#worker
    const { path, engine, timeout } = this.#options
    const worker = new Worker(new URL('./checkpoint-worker.js', import.meta.url), {
      workerData: { path, engine, timeout },
      // Flags of the process, such as a loader for TypeScript, are not needed.
      execArgv: [],
    })
    worker.unref()
    // Handled by `exit`, which follows; without a listener it would end the process.
    worker.on('error', () => undefined)
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined
    })
    this.#worker = worker
    return worker
  }
}
