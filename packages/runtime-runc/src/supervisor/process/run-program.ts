import { closeSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { errorCode, isErrno, NsboxError } from '@nsbox/errors'
import { pipe } from '@nsbox/sys'
import { spawnProgram } from '@nsbox/sys/processes'
import { findProgram } from '../../programs/find-program.ts'
import { signalName } from '../../programs/signal-name.ts'
import { ProgramCopies } from './program-copies.ts'
import type { Reaper } from './reaper.ts'

/** How much of what a program complains of is kept. */
const keptStderr = 16 * 1024

const copies = new ProgramCopies()

/** How to run a program. */
export interface RunProgramOptions {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Whether it is to run from a sealed copy. */
  readonly fromMemory: boolean
  /** Descriptors for its input and output; the null device where undefined. */
  readonly stdin: number | undefined
  readonly stdout: number | undefined
  /** `keep` to have it in the result. */
  readonly stderr: number | 'keep' | undefined
  readonly reaper: Reaper
  /** Kills it. */
  readonly signal: AbortSignal
  /** Called when it has been started, or could not be. */
  readonly onStarted: () => void
}

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

/**
 * Runs a program until it has ended, be it that its children go on.
 * @throws `not_found` or `permission_denied` for the program
 */
export async function runProgram(options: RunProgramOptions): Promise<ProgramEnd> {
  const { command, reaper, signal, onStarted } = options
  const [program] = command
  if (program === undefined) throw new NsboxError('invalid_argument', 'nothing to launch')
  signal.throwIfAborted()
  const errors = options.stderr === 'keep' ? new KeptErrors() : undefined
  let pid: number
  try {
    pid = startProgram(program, options, errors?.end)
  } catch (error) {
    throw notStarted(error, program)
  } finally {
    errors?.begin()
    onStarted()
  }
  // What has been waited for may be another process already.
  let running = true
  const kill = () => {
    if (running) process.kill(pid, 'SIGKILL')
  }
  signal.addEventListener('abort', kill, { once: true })
  const end = await reaper.end(pid)
  running = false
  signal.removeEventListener('abort', kill)
  const stderr = (await errors?.text()) ?? ''
  return 'code' in end
    ? { code: end.code, signal: null, stderr }
    : { code: null, signal: signalName(end.signal), stderr }
}

function startProgram(
  program: string,
  { command, env, fromMemory, stdin, stdout, stderr }: RunProgramOptions,
  errors: number | undefined,
): number {
  const variables = { ...ownVariables, ...env }
  const found = findProgram(program, { searchPath: variables.PATH, from: '/' })
  const nothing = openSync('/dev/null', 'r+')
  try {
    return spawnProgram({
      path: fromMemory ? copies.of(found) : found,
      args: command,
      env: variables,
      cwd: '/',
      stdio: [stdin ?? nothing, stdout ?? nothing, errors ?? (typeof stderr === 'number' ? stderr : nothing)],
    })
  } finally {
    closeSync(nothing)
  }
}

/** A copy, since each look at a variable of the process costs a call. */
const ownVariables = { ...process.env } as Readonly<Record<string, string>>

/** The end of what a program complains of. */
class KeptErrors {
  /** For the program. */
  readonly end: number
  readonly #socket: Socket
  #text = ''

  constructor() {
    const { read, write } = pipe(65_536)
    this.end = write
    this.#socket = new Socket({ fd: read, readable: true, writable: false })
  }

  /** The program has it, or could not be started. */
  begin(): void {
    closeSync(this.end)
    this.#socket.setEncoding('utf8').on('data', (piece: string) => {
      this.#text = (this.#text + piece).slice(-keptStderr)
    })
    this.#socket.on('error', () => {})
  }

  /** A child of the program may hold its end for ever; what is there has been read on the next turn. */
  async text(): Promise<string> {
    await setImmediate()
    await setImmediate()
    this.#socket.destroy()
    return this.#text
  }
}

function notStarted(error: unknown, program: string): NsboxError {
  const code = isErrno(error, 'ENOENT')
    ? 'not_found'
    : isErrno(error, 'EACCES')
      ? 'permission_denied'
      : errorCode(error)
  const { message } = error as Error
  return new NsboxError(code, `${JSON.stringify(program)}: ${message}`, { cause: error })
}
