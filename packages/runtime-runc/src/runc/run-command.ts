import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { NsboxError } from '@nsbox/errors'
import { missingProgram, type RuntimeCommand, runtimeError } from './runtime-error.ts'
import { lastError, lastLine } from './runtime-log.ts'

/** A command to run to its end. */
export interface CommandRequest {
  readonly command: RuntimeCommand
  readonly binary: string
  readonly args: readonly string[]
  /** Whether what it prints is wanted; if not, the call returns an empty text, half a millisecond of work less. */
  readonly prints: boolean
  /** What it reads from standard input; nothing by default. */
  readonly input?: Uint8Array | undefined
  /** Milliseconds until it is killed. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

const maxOutput = 16 * 1024 * 1024
const maxErrors = 64 * 1024
/** Milliseconds that outputs are read after the command has ended, since a hook that lives on may hold them open. */
const afterEnd = 500

/** Variables that would make the runtime talk to the service manager of this process. */
const hidden = ['NOTIFY_SOCKET', 'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']

/**
 * Runs a command of the runtime that keeps none of its descriptors, and returns what it printed. Whatever happens, the
 * command has ended, or has been killed, when the call settles.
 *
 * @throws as `runtimeError` if it fails; `deadline_exceeded`, the signal's reason, `resource_exhausted` for too much
 * output
 */
export async function runCommand(request: CommandRequest): Promise<string> {
  const { command, binary, args, prints, input, timeout, signal } = request
  signal?.throwIfAborted()
  const child = spawn(binary, args, {
    env: environment(),
    stdio: [input === undefined ? 'ignore' : 'pipe', prints ? 'pipe' : 'ignore', 'pipe'],
  })
  let stop: Error | undefined
  const kill = (reason: Error) => {
    stop ??= reason
    child.kill('SIGKILL')
  }
  const stdout = collect(child.stdout, maxOutput, 'first', () =>
    kill(new NsboxError('resource_exhausted', `OCI runtime ${command} printed over ${maxOutput} bytes`)),
  )
  const stderr = collect(child.stderr, maxErrors, 'last')
  // A command that does not read its input fails for a reason of its own.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  const onAbort = () => kill(signal!.reason as Error)
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(
    () => kill(new NsboxError('deadline_exceeded', `OCI runtime ${command} took over ${timeout} ms`)),
    timeout,
  )
  try {
    const end = await ended(child)
    if (stop !== undefined) throw stop
    if (end.code === 0) return stdout()
    const said = stderr()
    const words = lastError(said) ?? lastLine(said)
    throw runtimeError(
      command,
      words ?? (end.code === null ? `ended by ${end.signal}` : `exit status ${end.code}`),
    )
  } catch (error) {
    throw child.pid === undefined ? missingProgram(command, binary, error) : error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    child.stdin?.destroy()
    child.stdout?.destroy()
    child.stderr?.destroy()
  }
}

interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

function ended(child: ReturnType<typeof spawn>): Promise<End> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      // Later ones are of a signal that could not be sent.
      if (child.pid === undefined) reject(error)
    })
    child.once('exit', (code, signal) => {
      const end = { code, signal }
      const timer = setTimeout(() => resolve(end), afterEnd)
      child.once('close', () => {
        clearTimeout(timer)
        resolve(end)
      })
    })
  })
}

/** Keeps the first or the last bytes of a stream, and says when there are more than fit. */
function collect(
  stream: Readable | null,
  limit: number,
  keep: 'first' | 'last',
  onOverflow?: () => void,
): () => string {
  const chunks: Buffer[] = []
  let size = 0
  stream?.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    if (size <= limit) return
    onOverflow?.()
    if (keep === 'first') {
      size -= chunks.pop()!.length
      return
    }
    while (size - chunks[0]!.length > limit) size -= chunks.shift()!.length
  })
  return () => Buffer.concat(chunks).toString()
}

function environment(): NodeJS.ProcessEnv {
  const env = { ...process.env }
  for (const name of hidden) delete env[name]
  return env
}
