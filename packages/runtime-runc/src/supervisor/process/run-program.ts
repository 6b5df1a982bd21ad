import { type ChildProcess, spawn } from 'node:child_process'
import { isErrno, NsboxError } from '@nsbox/errors'
import type { Reaper } from './reaper.ts'

/** How much of what a program complains of is kept. */
const keptStderr = 16 * 1024

/** How to run a program. */
export interface RunProgramOptions {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
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
  const { command, env, stdin, stdout, stderr, reaper, signal, onStarted } = options
  const [program, ...args] = command
  if (program === undefined) throw new NsboxError('invalid_argument', 'nothing to launch')
  signal.throwIfAborted()
  const child = spawn(program, args, {
    cwd: '/',
    env: { ...process.env, ...env },
    stdio: [stdin ?? 'ignore', stdout ?? 'ignore', stderr === 'keep' ? 'pipe' : (stderr ?? 'ignore')],
  })
  onStarted()
  const { pid } = child
  if (pid === undefined) throw await notStarted(child, program)
  const seen = reaper.leaveToNode(pid)
  const kill = () => child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    text = (text + piece).slice(-keptStderr)
  })
  try {
    return await new Promise<ProgramEnd>((resolve) => {
      child.once('exit', (code, by) => {
        seen()
        // A child of its own may hold the other end for ever; what is there has been read on the next turn.
        setImmediate(() => {
          child.stderr?.destroy()
          resolve({ code, signal: by, stderr: text })
        })
      })
    })
  } finally {
    signal.removeEventListener('abort', kill)
  }
}

async function notStarted(child: ChildProcess, program: string): Promise<Error> {
  const error = await new Promise<Error>((resolve) => child.once('error', resolve))
  const code = isErrno(error, 'ENOENT')
    ? 'not_found'
    : isErrno(error, 'EACCES')
      ? 'permission_denied'
      : 'unknown'
  return new NsboxError(code, `${JSON.stringify(program)}: ${error.message}`, { cause: error })
}
