import { type ChildProcess, spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { describeExit, type ExitStatus } from './exit-status.ts'

export interface StartProcessOptions {
  /** Text in either output that shows that the process is ready; started is ready by default. */
  ready?: RegExp
  /** Milliseconds that getting ready may take; 60,000 by default. */
  readyTimeout?: number
  /** Milliseconds between SIGTERM and SIGKILL when stopping; 5,000 by default. */
  stopTimeout?: number
  /** Variables added to this process's environment; `undefined` removes one. */
  env?: Readonly<Record<string, string | undefined>>
  cwd?: string
  /** A file to append standard output to, in place of `output`. */
  stdoutFile?: string
  /** Most characters of output to keep, the oldest being dropped; 1 Mi by default. */
  keepOutput?: number
}

/** A child process that runs until it is stopped, such as a daemon; stopped when it is disposed of. */
export class RunningProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #name: string
  readonly #stopTimeout: number
  readonly #watchers = new Set<() => void>()
  #output = ''
  /** Resolves when the last output has been read, or a surviving grandchild holds it open. */
  readonly #silent: Promise<unknown>
  /** Resolves when the process has ended, for any reason. */
  readonly exited: Promise<ExitStatus>

  /** @internal use `startProcess` */
  constructor(child: ChildProcess, name: string, options: StartProcessOptions) {
    const keep = options.keepOutput ?? 1024 * 1024
    this.#child = child
    this.#name = name
    this.#stopTimeout = options.stopTimeout ?? 5_000
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-keep)
        for (const watcher of this.#watchers) watcher()
      })
    }
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
    })
    const closed = new Promise((resolve) => child.once('close', resolve))
    this.#silent = Promise.race([closed, this.exited.then(() => delay(1_000, undefined, { ref: false }))])
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** Both outputs as one text, without what was dropped from its start. */
  get output(): string {
    return this.#output
  }

  /**
   * Waits until the output has a match for `pattern` and returns the first; rejects if the process ends or
   * `timeout` milliseconds pass before.
   */
  waitForOutput(pattern: RegExp, timeout = 60_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const settle = (action: () => void) => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        action()
      }
      const fail = (why: string) =>
        settle(() => reject(new Error(`${this.#name} ${why} without ${pattern}; it said:\n${this.#output}`)))
      const look = () => {
        const match = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).exec(this.#output)
        if (match) settle(() => resolve(match))
      }
      const timer = setTimeout(() => fail(`ran for ${timeout} ms`), timeout)
      this.#watchers.add(look)
      look()
      void this.#silent.then(async () => fail(`ended with ${describeExit(await this.exited)}`))
    })
  }

  /** Sends a signal, without waiting for its effect. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends the process with SIGTERM, or with SIGKILL if it does not end in time. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), this.#stopTimeout)
    await this.exited
    clearTimeout(timer)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

const alive = new Set<ChildProcess>()

/** Ends the child if this process ends without disposing of it, for example by an uncaught error. */
function endWithThisProcess(child: ChildProcess): void {
  if (alive.size === 0) process.once('exit', killAll)
  alive.add(child)
  child.once('exit', () => {
    alive.delete(child)
    if (alive.size === 0) process.off('exit', killAll)
  })
}

function killAll(): void {
  for (const child of alive) child.kill('SIGKILL')
}

/** Starts a program and waits until it is ready; if it does not get ready it is stopped and the call rejects. */
export async function startProcess(
  command: string,
  args: readonly string[],
  options: StartProcessOptions = {},
): Promise<RunningProcess> {
  const { cwd, env, stdoutFile, ready, readyTimeout } = options
  const file = stdoutFile === undefined ? undefined : await open(stdoutFile, 'a')
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', file?.fd ?? 'pipe', 'pipe'],
  })
  const started = new RunningProcess(child, command, options)
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
  } finally {
    await file?.close()
  }
  endWithThisProcess(child)
  if (ready === undefined) return started
  try {
    await started.waitForOutput(ready, readyTimeout)
    return started
  } catch (error) {
    await started.stop()
    throw error
  }
}
