import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { pipe } from '@nsbox/sys'
import { signalName } from '../programs/signal-name.ts'
import type { Reaper } from './reaper.ts'
import { type StartedProgram, startProgram } from './start-program.ts'

/** Bytes kept of a program's standard error. */
const keptStderr = 16 * 1024

/** How to run a program. */
export interface RunProgramOptions extends Omit<StartedProgram, 'stdio' | 'session'> {
  /** Descriptors for its input and output; the null device where undefined. */
  readonly stdin: number | undefined
  readonly stdout: number | undefined
  /** `keep` for text in the result. */
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

/** Runs a program until it has ended; its children may go on. @throws as `startProgram` */
export async function runProgram(options: RunProgramOptions): Promise<ProgramEnd> {
  const { stdin, stdout, stderr, reaper, signal, onStarted, ...program } = options
  signal.throwIfAborted()
  const errors = stderr === 'keep' ? new KeptErrors() : undefined
  let pid: number
  try {
    const stdio = [stdin, stdout, stderr === 'keep' ? errors?.end : stderr] as const
    pid = startProgram({ ...program, stdio, session: false })
  } finally {
    errors?.begin()
    onStarted()
  }
  // After the wait, the pid may be reused.
  let running = true
  const kill = () => {
    if (running) process.kill(pid, 'SIGKILL')
  }
  signal.addEventListener('abort', kill, { once: true })
  const end = await reaper.end(pid)
  running = false
  signal.removeEventListener('abort', kill)
  const said = (await errors?.text()) ?? ''
  return 'code' in end
    ? { code: end.code, signal: null, stderr: said }
    : { code: null, signal: signalName(end.signal), stderr: said }
}

/** The end of a program's standard error. */
class KeptErrors {
  /** The program's end of the pipe. */
  readonly end: number
  readonly #socket: Socket
  #text = ''

  constructor() {
    const { read, write } = pipe(65_536)
    this.end = write
    this.#socket = new Socket({ fd: read, readable: true, writable: false })
  }

  /** Called when the program has its end, or could not be started. */
  begin(): void {
    closeSync(this.end)
    this.#socket.setEncoding('utf8').on('data', (piece: string) => {
      this.#text = (this.#text + piece).slice(-keptStderr)
    })
    this.#socket.on('error', () => {})
  }

  /** A child of the program may hold the pipe open for ever; existing output has been read by the next turn. */
  async text(): Promise<string> {
    await setImmediate()
    await setImmediate()
    this.#socket.destroy()
    return this.#text
  }
}
