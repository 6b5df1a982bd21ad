import { statSync } from 'node:fs'
import type { Socket } from 'node:net'
import { NsboxError } from '@nsbox/errors'
import { type ChildProgram, findProgram, signalName, startChild } from '@nsbox/supervisor/programs'
import { missingProgram, type RuntimeCommand, runtimeError } from './runtime-error.ts'
import { lastError, lastErrorOf, lastLine } from './runtime-log.ts'

/** A command to run to its end. */
export interface CommandRequest {
  readonly command: RuntimeCommand
  readonly binary: string
  readonly args: readonly string[]
  /** The working directory; that of this process by default. */
  readonly cwd?: string | undefined
  /** The file that its arguments name for errors; standard error if absent. */
  readonly log?: string | undefined
  /** Whether its output is wanted. If not, the call returns an empty text, and takes half a millisecond less. */
  readonly prints: boolean
  /** Its standard input; empty by default. */
  readonly input?: Uint8Array | undefined
  /** Milliseconds until it is killed. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

const maxOutput = 16 * 1024 * 1024
const maxErrors = 64 * 1024

/** Variables that would make the runtime talk to the service manager of this process. */
const hidden = ['NOTIFY_SOCKET', 'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']

/**
 * Runs a command of the runtime that keeps none of its descriptors, and returns its output. In any case, the command
 * has ended, or has been killed, when the call settles.
 *
 * @throws as `runtimeError` if it fails; `deadline_exceeded`, the signal's reason, `resource_exhausted` for too much
 * output
 */
export async function runCommand(request: CommandRequest): Promise<string> {
  const { command, binary, input, timeout, signal } = request
  signal?.throwIfAborted()
  let child: ChildProgram
  const logged = request.log === undefined ? 0 : sizeOf(request.log)
  try {
    child = startCommand(request)
  } catch (error) {
    throw missingProgram(command, binary, error)
  }
  let stop: Error | undefined
  const kill = (reason: Error) => {
    stop ??= reason
    child.kill()
  }
  const stdout = collect(child.stdout, maxOutput, 'first', () =>
    kill(new NsboxError('resource_exhausted', `OCI runtime ${command} printed over ${maxOutput} bytes`)),
  )
  const stderr = collect(child.stderr, maxErrors, 'last')
  // A command that fails before it reads its input reports its own error.
  child.stdin?.on('error', () => {})
  if (input !== undefined) child.stdin?.end(input)
  const onAbort = () => kill(signal!.reason as Error)
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(
    () => kill(new NsboxError('deadline_exceeded', `OCI runtime ${command} took over ${timeout} ms`)),
    timeout,
  )
  try {
    const end = await child.end
    await child.closed
    if (stop !== undefined) throw stop
    if ('code' in end && end.code === 0) return stdout()
    const said = stderr()
    const log = request.log === undefined ? undefined : await lastErrorOf(request.log, logged)
    const words = log ?? lastError(said) ?? lastLine(said)
    const how = 'code' in end ? `exit status ${end.code}` : `ended by ${signalName(end.signal)}`
    throw runtimeError(command, words ?? how)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    child.stdin?.destroy()
    child.stdout?.destroy()
    child.stderr.destroy()
  }
}

function startCommand({ binary, args, cwd, prints, input }: CommandRequest): ChildProgram {
  const env = environment()
  const path = commandPath(binary)
  const reads = input !== undefined
  return startChild({ path, args: [binary, ...args], cwd, env, reads, prints })
}

/** 0 for a missing file. */
const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** The program that a command runs. @throws as `findProgram` */
export function commandPath(binary: string): string {
  return findProgram(binary, { searchPath: environment().PATH, from: process.cwd() })
}

/** Keeps the first or the last bytes of a stream, and reports when there are more than fit. */
function collect(
  stream: Socket | undefined,
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

let variables: Readonly<Record<string, string>> | undefined

/** Read once: each variable of `process.env` costs a call, and all of them half a millisecond. */
function environment(): Readonly<Record<string, string>> {
  if (variables !== undefined) return variables
  const shown = Object.entries(process.env).filter(([name]) => !hidden.includes(name))
  variables = Object.fromEntries(shown) as Record<string, string>
  return variables
}
