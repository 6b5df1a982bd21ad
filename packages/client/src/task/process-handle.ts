import type { Readable, Writable } from 'node:stream'
import { abortable } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import type { KillOptions, Process, ProcessExit, Tasks } from '@nsbox/core/tasks'
import { isNotFound, NsboxError } from '@nsbox/errors'
import { type FifoPaths, fifosOf } from '../stdio/fifo-paths.ts'
import type { ProcessStreams } from '../stdio/process-streams.ts'
import { removeFifos } from '../stdio/remove-fifos.ts'
import type { InputEnd } from './input-end.ts'
import { retryWhileAway } from './retry-while-away.ts'
import { signalNumber } from './signal-number.ts'

/** What a handle of a process is made of. */
export interface ProcessHandleParts {
  readonly tasks: Tasks
  readonly containerId: string
  /** Empty for the first process. */
  readonly execId: string
  readonly pid: number
  readonly terminal: boolean
  readonly fifos: FifoPaths
  readonly streams: ProcessStreams
  /** Allowed to end the input after the start; absent for a process that existed before. */
  readonly inputEnd?: InputEnd | undefined
}

/**
 * A process of a container, seen from this process. Disposing of it closes the streams and stops waiting; the process
 * goes on, and can be found again by its ids.
 */
export class ProcessHandle implements AsyncDisposable {
  readonly containerId: string
  /** Empty for the first process of a task. */
  readonly execId: string
  /** Whether it has a terminal of its own, whose output comes as `stdout`. */
  readonly terminal: boolean
  /**
   * How it ended. The wait begins before the process is started, so that no end is missed, and is repeated after the
   * server was away. Rejects if the end can no longer be known, and when the handle is disposed of; a rejection need
   * not be handled.
   */
  readonly exit: Promise<ProcessExit>
  protected readonly tasks: Tasks
  readonly #streams: ProcessStreams
  readonly #fifos: FifoPaths
  readonly #inputEnd: InputEnd | undefined
  readonly #disposed = new AbortController()
  #pid: number

  /** @internal */
  constructor(parts: ProcessHandleParts) {
    this.tasks = parts.tasks
    this.containerId = parts.containerId
    this.execId = parts.execId
    this.terminal = parts.terminal
    this.#streams = parts.streams
    this.#fifos = parts.fifos
    this.#inputEnd = parts.inputEnd
    this.#pid = parts.pid
    const { signal } = this.#disposed
    const { tasks, containerId, execId } = this
    this.exit = retryWhileAway(() => tasks.wait(containerId, { execId, signal }), { signal })
    // A rejection that nobody handles must not end the program.
    this.exit.catch(() => undefined)
    // Another client may have started it.
    const ended = () => this.#streams.started()
    this.exit.then(ended, ended)
  }

  /** As the host numbers it; 0 before an exec is started. */
  get pid(): number {
    return this.#pid
  }

  /** Its input, if it was asked for; ending the stream ends the input, which hangs up a terminal. */
  get stdin(): Writable | undefined {
    return this.#streams.stdin
  }

  /** Its output, if it was asked for. It must be read, or the process blocks. */
  get stdout(): Readable | undefined {
    return this.#streams.stdout
  }

  /** Its error output, if it was asked for and there is no terminal. As `stdout`. */
  get stderr(): Readable | undefined {
    return this.#streams.stderr
  }

  /** Starts it, even if the server is away for a while. @throws as `Tasks.start` */
  async start({ signal }: AbortOptions = {}): Promise<{ readonly pid: number }> {
    let asked = false
    const call = async (): Promise<{ readonly pid: number }> => {
      // The start may have succeeded and only its response been lost.
      const before = asked ? await this.status({ signal }) : undefined
      if (before !== undefined && before.status !== 'created') return before
      asked = true
      return await this.tasks.start(this.containerId, { execId: this.execId, signal })
    }
    const { pid } = await retryWhileAway(call, { signal })
    this.#pid = pid
    this.#inputEnd?.allow()
    await this.#streams.started()
    return { pid }
  }

  /** Its current state on the server. @throws as `Tasks.get` */
  async status({ signal }: AbortOptions = {}): Promise<Process> {
    return await this.tasks.get(this.containerId, { execId: this.execId, signal })
  }

  /**
   * Sends a signal.
   * @param signal its number or name, such as `SIGTERM`
   * @throws `invalid_argument` for an unknown signal; as `Tasks.kill`
   */
  async kill(signal: string | number = 'SIGTERM', options: Omit<KillOptions, 'execId'> = {}): Promise<void> {
    const process = this.execId === '' ? {} : { execId: this.execId }
    await this.tasks.kill(this.containerId, signalNumber(signal), { ...options, ...process })
  }

  /** Sets the size of its terminal, in characters. @throws as `Tasks.resize` */
  async resize(
    size: { readonly width: number; readonly height: number },
    { signal }: AbortOptions = {},
  ): Promise<void> {
    await this.tasks.resize(this.containerId, size, { execId: this.execId, signal })
  }

  /** Waits for its end, and until all its output has been read; output without a reader is discarded. */
  async finished({ signal }: AbortOptions = {}): Promise<ProcessExit> {
    const exit = await abortable(this.exit, { signal })
    await this.#streams.drain({ signal })
    return exit
  }

  /**
   * Removes a process that has ended or was never started, with its FIFOs, even if the server is away for a while. Its
   * output is read to the end first.
   * @throws as `Tasks.delete`
   */
  async delete({ signal }: AbortOptions = {}): Promise<ProcessExit> {
    const before = await this.status({ signal })
    if (before.status === 'stopped') await this.#streams.drain({ signal })
    const exit = await this.#delete(before, signal)
    await this.#letGo()
    await removeFifos(fifosOf(this.#fifos))
    return exit
  }

  async #delete(before: Process, signal: AbortSignal | undefined): Promise<ProcessExit> {
    const { containerId, execId } = this
    let asked = false
    const call = async (): Promise<ProcessExit> => {
      // The deletion may have succeeded and only its response been lost; then the process is gone, or another one.
      if (asked && (await this.#isGone(before, signal))) return before.exit ?? (await this.exit)
      asked = true
      return execId === ''
        ? await this.tasks.delete(containerId, { signal })
        : await this.tasks.deleteProcess(containerId, execId, { signal })
    }
    return await retryWhileAway(call, { signal })
  }

  async #isGone({ pid }: Process, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      return (await this.status({ signal })).pid !== pid
    } catch (error) {
      if (isNotFound(error)) return true
      throw error
    }
  }

  async #letGo(): Promise<void> {
    await this.#streams.close()
    this.#disposed.abort(
      new NsboxError('canceled', `process of container ${this.containerId}: nobody waits any more`),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#letGo()
  }
}
