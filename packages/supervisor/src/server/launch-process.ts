import { closeSync } from 'node:fs'
import { NsboxError } from '@nsbox/errors'
import { pipe } from '@nsbox/sys'
import { openTerminal } from '@nsbox/sys/descriptors'
import { openPidfd, processStat, signalPidfd } from '@nsbox/sys/processes'
import type { LaunchMessage } from '../protocol/launch-message.ts'
import type { LogProgram } from '../protocol/output-target.ts'
import { OwnedEnds } from '../protocol/owned-ends.ts'
import type { ProcessRecord } from '../protocol/process-record.ts'
import { startLogger } from './logger.ts'
import { makePipes, type ProgramEnds } from './make-pipes.ts'
import { openStdio } from './open-stdio.ts'
import { ProcessMaker } from './process-maker.ts'
import type { Reaper } from './reaper.ts'
import { startProgram } from './start-program.ts'
import type { Watcher } from './watcher.ts'

/** The parts of the supervisor that a launch uses. */
export interface LaunchOptions {
  /** The supervisor's directory. */
  readonly directory: string
  readonly watcher: Watcher
  readonly reaper: Reaper
  /** Cancels the launch. */
  readonly signal: AbortSignal
  /**
   * Takes the process, within the turn in which its pid became known. If it throws, the process and its descriptors are
   * ended.
   */
  readonly hold: (record: ProcessRecord, ends: OwnedEnds) => void
}

/** Starts the process, or a program that makes it, and returns its pid. */
type Start = (pipes: ProgramEnds, ends: OwnedEnds) => number | Promise<number>

/**
 * Makes a process: opens its input and outputs, makes pipes or a terminal, starts the program, and passes the process
 * to `hold`. After an error everything is closed, the logger is ended, and a process that was made is killed.
 */
export async function launchProcess(message: LaunchMessage, options: LaunchOptions): Promise<void> {
  const { directory, reaper } = options
  const timeout = AbortSignal.timeout(message.timeout)
  const signal = AbortSignal.any([options.signal, timeout])
  const ends = new OwnedEnds()
  let maker: ProcessMaker | undefined
  let launched: (() => void) | undefined
  let pid: number | undefined
  try {
    if (message.makes !== undefined) maker = new ProcessMaker(message, message.makes, directory)
    const start: Start = (pipes) => {
      // As late as possible: orphans wait for launches, and loggers and readers may take long.
      launched = reaper.launch()
      return maker === undefined
        ? startDirectly(message, pipes, ends)
        : maker.run(pipes, ends, { reaper, signal })
    }
    pid = await withStdio(message, { ...options, signal }, ends, start)
    ends.add('pidfd', openPidfd(pid))
    const startTime = processStat(pid)?.startTime ?? ''
    const { key, io, endsWithClient } = message
    const stdinEnded = io.stdin === ''
    options.hold({ key, pid, startTime, io, stdinEnded, drained: false, endsWithClient }, ends)
  } catch (error) {
    abandon(pid ?? maker?.made(), ends)
    if (timeout.aborted && !options.signal.aborted)
      throw new NsboxError('deadline_exceeded', `${message.command[0]} for ${message.key}`, { cause: error })
    throw error
  } finally {
    maker?.[Symbol.dispose]()
    launched?.()
  }
}

/** Starts a program that is the process, in a session of its own. */
function startDirectly(
  { command, cwd, env, fromMemory, io }: LaunchMessage,
  { stdin, stdout, stderr }: ProgramEnds,
  ends: OwnedEnds,
): number {
  const program = { command, cwd, env, fromMemory, session: true }
  if (!io.terminal) return startProgram({ ...program, stdio: [stdin, stdout, stderr] })
  const { fd, path } = openTerminal()
  ends.add('terminal', fd)
  return startProgram({ ...program, stdio: path })
}

/** Opens and makes the process's input and outputs, and starts it. */
async function withStdio(
  message: LaunchMessage,
  options: LaunchOptions,
  ends: OwnedEnds,
  start: Start,
): Promise<number> {
  const { io, owner, waits } = message
  const { signal } = options
  const logger = await openStdio(io, ends, { signal, waits })
  const pipes = makePipes(ends, {
    stdin: !io.terminal && ends.get('stdin-source') !== undefined,
    stdout: !io.terminal && (logger ?? ends.get('stdout-sink')) !== undefined,
    stderr: !io.terminal && (logger ?? ends.get('stderr-sink')) !== undefined,
    owner,
  })
  try {
    if (logger !== undefined) await beginLogger(logger, message, options, ends)
    signal.throwIfAborted()
    return await start(pipes, ends)
  } finally {
    pipes.close()
  }
}

async function beginLogger(
  target: LogProgram,
  { io, logEnv: env }: LaunchMessage,
  { watcher, reaper, signal }: LaunchOptions,
  ends: OwnedEnds,
): Promise<void> {
  const common = { watcher, reaper, signal, env }
  if (!io.terminal) {
    await startLogger(target, ends, { ...common, stdout: ends.get('stdout')!, stderr: ends.get('stderr')! })
    return
  }
  // One output, which the supervisor itself writes to, and a second one that has ended.
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

/**
 * Ends what a failed launch has left.
 * @param pid of a child that is not reaped during the launch, so that the pid is not reused
 */
function abandon(pid: number | undefined, ends: OwnedEnds): void {
  if (pid !== undefined) process.kill(pid, 'SIGKILL')
  const logger = ends.get('logger')
  if (logger !== undefined) signalPidfd(logger, 9)
  ends.closeAll()
}
