import { closeSync, readFileSync, readSync, rmSync } from 'node:fs'
import { isErrno, NsboxError } from '@nsbox/errors'
import { pipe } from '@nsbox/sys'
import { setNonBlocking } from '@nsbox/sys/descriptors'
import { openPidfd, signalPidfd } from '@nsbox/sys/processes'
import { OwnedEnds } from '../protocol/owned-ends.ts'
import type { ProcessRecord } from '../protocol/process-record.ts'
import { startTimeOf } from '../start-time.ts'
import { ConsoleSocket } from './console-socket.ts'
import type { LaunchMessage } from './launch-request.ts'
import { startLogger } from './logger.ts'
import { makePipes } from './make-pipes.ts'
import { openClientIo } from './open-client-io.ts'
import type { LoggerTarget } from './output-target.ts'
import type { Reaper } from './reaper.ts'
import { runProgram } from './run-program.ts'
import type { Watcher } from './watcher.ts'

const keptStderr = 16 * 1024

/** What a launch needs of the supervisor. */
export interface LaunchOptions {
  readonly watcher: Watcher
  readonly reaper: Reaper
  /** Cancels the launch. */
  readonly signal: AbortSignal
  /**
   * Takes charge of the process, within the same turn in which its number was read: whatever it throws, the process
   * and its descriptors are ended.
   */
  readonly hold: (record: ProcessRecord, ends: OwnedEnds) => void
}

/**
 * Runs a program that makes a process: opens what the client has given for input and output, makes pipes or takes the
 * terminal, and has the process held. After an error everything is closed, the logger ended, and a process that was made
 * nonetheless killed.
 */
export async function launch(message: LaunchMessage, options: LaunchOptions): Promise<void> {
  const { reaper } = options
  const timeout = AbortSignal.timeout(message.timeout)
  const signal = AbortSignal.any([options.signal, timeout])
  const ends = new OwnedEnds()
  let launched: (() => void) | undefined
  const begin = () => {
    launched = reaper.launch()
  }
  try {
    const logger = await openClientIo(message.io, ends, { signal, waits: message.waits })
    const terminal = await runLaunch(message, { ...options, signal }, ends, logger, begin)
    if (terminal !== undefined) ends.add('terminal', terminal)
    const pid = readPid(message.pidFile)
    ends.add('pidfd', openPidfd(pid))
    const startTime = startTimeOf(pid) ?? ''
    const { key, io } = message
    options.hold({ key, pid, startTime, io, stdinEnded: io.stdin === '', drained: false }, ends)
  } catch (error) {
    abandon(message, ends)
    if (timeout.aborted && !options.signal.aborted)
      throw new NsboxError('deadline_exceeded', `${message.command[0]} for ${message.key}`, { cause: error })
    throw error
  } finally {
    rmSync(message.pidFile, { force: true })
    launched?.()
  }
}

/** @returns the terminal, if the process has one; the caller closes it */
async function runLaunch(
  message: LaunchMessage,
  options: LaunchOptions,
  ends: OwnedEnds,
  logger: LoggerTarget | undefined,
  begin: () => void,
): Promise<number | undefined> {
  const { io, consoleSocket, command, fromMemory, env, owner } = message
  if (io.terminal !== (consoleSocket !== undefined))
    throw new NsboxError('invalid_argument', 'a terminal needs a socket to come through')
  using socket = consoleSocket === undefined ? undefined : new ConsoleSocket(consoleSocket)
  const outputs = io.terminal ? false : logger !== undefined
  const program = makePipes(ends, {
    stdin: !io.terminal && ends.get('stdin-source') !== undefined,
    stdout: !io.terminal && (outputs || ends.get('stdout-sink') !== undefined),
    stderr: !io.terminal && (outputs || ends.get('stderr-sink') !== undefined),
    owner,
  })
  try {
    if (logger !== undefined) await beginLogger(logger, message, options, ends)
    const { reaper, signal } = options
    const stderr = io.terminal ? 'keep' : program.stderr
    const { stdin, stdout } = program
    const run = {
      command,
      fromMemory,
      env,
      stdin,
      stdout,
      stderr,
      reaper,
      signal,
      onStarted: () => program.close(),
    } as const
    // Not before: orphans wait for launches, and loggers and readers may be long in coming.
    begin()
    const end = await runProgram(run)
    signal.throwIfAborted()
    if (end.code !== 0) throw failure(message, end, end.stderr || complaints(ends.get('stderr')))
    return socket?.take()
  } finally {
    program.close()
  }
}

async function beginLogger(
  target: LoggerTarget,
  message: LaunchMessage,
  { watcher, reaper, signal }: LaunchOptions,
  ends: OwnedEnds,
): Promise<void> {
  const common = { watcher, reaper, signal, container: message.container }
  if (!message.io.terminal) {
    await startLogger(target, ends, { ...common, stdout: ends.get('stdout')!, stderr: ends.get('stderr')! })
    return
  }
  // One output, which the supervisor writes to itself, and another that has ended.
  const output = pipe(65_536)
  const nothing = pipe(4096)
  closeSync(nothing.write)
  ends.add('stdout-sink', output.write)
  try {
    await startLogger(target, ends, { ...common, stdout: output.read, stderr: nothing.read })
  } finally {
    closeSync(output.read)
    closeSync(nothing.read)
  }
}

function failure(
  message: LaunchMessage,
  { code, signal }: { readonly code: number | null; readonly signal: NodeJS.Signals | null },
  stderr: string,
): NsboxError {
  const details = { stderr, ...(code === null ? {} : { exitCode: code }) }
  return new NsboxError('unknown', `${message.command[0]} for ${message.key} ended with ${code ?? signal}`, {
    details,
  })
}

/** What the program wrote where the process would have written. */
function complaints(fd: number | undefined): string {
  if (fd === undefined) return ''
  // A process of the container may have the pipe as well, and read what is there first.
  setNonBlocking(fd)
  const text = Buffer.alloc(65_536)
  try {
    return text.subarray(0, readSync(fd, text)).toString().slice(-keptStderr)
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return ''
    throw error
  }
}

function readPid(path: string): number {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT')) throw cause
    throw new NsboxError('failed_precondition', 'the runtime has written no number of a process', { cause })
  }
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text)
  throw new NsboxError(
    'failed_precondition',
    `the runtime has written ${JSON.stringify(text)} as number of a process`,
  )
}

/** Ends what a launch that failed has left. The process is an orphan now, and waited for as such. */
function abandon(message: LaunchMessage, ends: OwnedEnds): void {
  try {
    const pidfd = ends.get('pidfd') ?? ends.add('pidfd', openPidfd(readPid(message.pidFile)))
    signalPidfd(pidfd, 9)
  } catch {
    // There is none, which is how most launches fail.
  }
  const logger = ends.get('logger')
  if (logger !== undefined) signalPidfd(logger, 9)
  ends.closeAll()
}
