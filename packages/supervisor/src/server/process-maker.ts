import { closeSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { setNonBlocking } from '@nsbox/sys/descriptors'
import { processStat } from '@nsbox/sys/processes'
import { launchPaths } from '../protocol/directory-layout.ts'
import type { LaunchMessage } from '../protocol/launch-message.ts'
import type { OwnedEnds } from '../protocol/owned-ends.ts'
import type { LaunchPaths } from '../supervisor.ts'
import { ConsoleSocket } from './console-socket.ts'
import type { ProgramEnds } from './make-pipes.ts'
import type { Reaper } from './reaper.ts'
import { type ProgramEnd, runProgram } from './run-program.ts'

const keptStderr = 16 * 1024

/** A program that makes a process, writes its pid, sends its terminal if it has one, and ends. */
export class ProcessMaker implements Disposable {
  readonly #message: LaunchMessage
  readonly #paths: LaunchPaths

  /**
   * @param name of the launch
   * @throws `already_exists` if one of this name is under way
   */
  constructor(message: LaunchMessage, name: string, directory: string) {
    const { pidFile, io } = message
    this.#message = message
    this.#paths = launchPaths(directory, { name, terminal: io.terminal, pidFile })
    try {
      // An earlier launch may have left one.
      if (pidFile !== undefined) rmSync(pidFile, { force: true })
      // Empty until the program writes it.
      closeSync(openSync(this.#paths.pidFile, 'wx', 0o600))
    } catch (error) {
      throw fromSystemError(error, `launch ${name}`)
    }
  }

  /**
   * Runs it. The terminal is added to the descriptors.
   * @returns the pid of the process, by then a child of this one
   */
  async run(
    { stdin, stdout, stderr, close }: ProgramEnds,
    ends: OwnedEnds,
    options: { readonly reaper: Reaper; readonly signal: AbortSignal },
  ): Promise<number> {
    const { command, cwd, env, fromMemory, io } = this.#message
    const { consoleSocket } = this.#paths
    using socket = consoleSocket === undefined ? undefined : new ConsoleSocket(consoleSocket)
    const end = await runProgram({
      ...{ command, cwd, env, fromMemory, stdin, stdout },
      stderr: io.terminal ? 'keep' : stderr,
      onStarted: close,
      ...options,
    })
    options.signal.throwIfAborted()
    if (end.code !== 0) throw this.#failure(end, end.stderr || complaints(ends.get('stderr')))
    if (socket !== undefined) ends.add('terminal', socket.take())
    return this.#pid()
  }

  /** The process that a failed launch has made; undefined if there is none. */
  made(): number | undefined {
    try {
      return this.#pid()
    } catch {
      // Most failed launches make no process.
      return undefined
    }
  }

  [Symbol.dispose](): void {
    if (this.#message.pidFile === undefined) rmSync(this.#paths.pidFile, { force: true })
  }

  /** Only the pid of a child is accepted: it is not reused before the launch ends. */
  #pid(): number {
    const text = this.#written()
    if (text === '') throw new NsboxError('failed_precondition', 'the program has written no pid')
    const pid = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined
    if (pid !== undefined && processStat(pid)?.parent === process.pid) return pid
    const what = pid === undefined ? 'pid' : 'pid of a process that it has not made'
    throw new NsboxError('failed_precondition', `the program has written ${JSON.stringify(text)} as ${what}`)
  }

  #written(): string {
    try {
      return readFileSync(this.#paths.pidFile, 'utf8')
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return ''
      throw error
    }
  }

  #failure({ code, signal }: ProgramEnd, stderr: string): NsboxError {
    const { command, key } = this.#message
    const details = { stderr, ...(code === null ? {} : { exitCode: code }) }
    return new NsboxError('unknown', `${command[0]} for ${key} ended with ${code ?? signal}`, { details })
  }
}

/** The program's messages on the process's standard error. */
function complaints(fd: number | undefined): string {
  if (fd === undefined) return ''
  // A process that shares the pipe may read the messages first.
  setNonBlocking(fd)
  const text = Buffer.alloc(65_536)
  try {
    return text.subarray(0, readSync(fd, text)).toString().slice(-keptStderr)
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return ''
    throw error
  }
}
