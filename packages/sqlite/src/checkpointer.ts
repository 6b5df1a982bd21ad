import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { NsboxError } from '@nsbox/errors'
import { codeOfResult, isFailedSync } from './sqlite-error.ts'

type Answer = 'done' | { readonly error: { readonly code: string; readonly message: string } }

interface CheckpointerOptions {
  readonly path: string
  /** How long, in milliseconds, the worker's connection waits for another. */
  readonly timeout: number
  /** Told when a checkpoint could not sync. */
  readonly onFailedSync: (cause: unknown) => void
}

/**
 * Runs checkpoints in a worker thread, one at a time. States: no worker (nothing was asked yet, or it died) → idle →
 * running → idle; a worker that dies fails the checkpoint in hand, and the next one starts another.
 */
export class Checkpointer {
  readonly #options: CheckpointerOptions
  #worker: Worker | undefined
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

  /** Ends the worker after the checkpoint in hand. */
  async close(): Promise<void> {
    await this.#running?.catch(() => undefined)
    const worker = this.#worker
    if (worker === undefined) return
    const exit = once(worker, 'exit')
    worker.ref()
    worker.postMessage('close')
    await exit
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
      const { code, message } = answer.error
      const context = `checkpoint of ${this.#options.path}: ${message}`
      const error = new NsboxError(codeOfResult(code) ?? 'unknown', context, { details: { sqlite: code } })
      if (isFailedSync(code)) this.#options.onFailedSync(error)
      throw error
    } finally {
      controller.abort()
    }
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const { path, timeout } = this.#options
    const worker = new Worker(new URL('./checkpoint-worker.js', import.meta.url), {
      workerData: { path, timeout },
      // Flags of the process, such as a loader of TypeScript, are of no use to a plain file.
      execArgv: [],
    })
    worker.unref()
    // An `error` event is followed by `exit`, where the job in hand is failed; unheard it would end the process.
    worker.on('error', () => undefined)
    worker.once('exit', () => {
      this.#worker = undefined
    })
    this.#worker = worker
    return worker
  }
}
