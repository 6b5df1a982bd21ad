import { spawn } from 'node:child_process'
import { describeExit, type ExitStatus } from './exit-status.ts'

export interface RunOptions {
  /** Milliseconds until the process is killed and the call rejects; 60,000 by default. */
  timeout?: number
  /** Standard input of the process; empty by default. */
  input?: string | Uint8Array
  /** Variables added to this process's environment; `undefined` removes one. */
  env?: Readonly<Record<string, string | undefined>>
  cwd?: string
  /** Most bytes of each output, beyond which the call rejects; 64 MiB by default. */
  maxOutput?: number
}

export interface RunResult extends ExitStatus {
  readonly stdout: string
  readonly stderr: string
  /** Standard output as bytes. */
  readonly stdoutBytes: Uint8Array
}

/**
 * Runs a program to its end. Resolves for any exit status; rejects if the program cannot be started, takes too long or
 * writes too much.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { timeout = 60_000, input, env, cwd, maxOutput = 64 * 1024 * 1024 } = options
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: 'pipe' })
  let failure: Error | undefined
  const fail = (message: string) => {
    failure ??= new Error(`${command} ${args.join(' ')}: ${message}`)
    child.kill('SIGKILL')
    // A grandchild may hold the other ends open; its output is not wanted.
    child.stdout.destroy()
    child.stderr.destroy()
  }
  const collect = (stream: NodeJS.ReadableStream) => {
    const chunks: Buffer[] = []
    let size = 0
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxOutput) fail(`more than ${maxOutput} bytes of output`)
      else chunks.push(chunk)
    })
    return chunks
  }
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  const timer = setTimeout(() => {
    const said = Buffer.concat(stderr).toString().slice(-2000)
    fail(`not ended after ${timeout} ms; standard error: ${said}`)
  }, timeout)
  // A program that ends without reading its input breaks the pipe; its exit status is enough.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  try {
    const status = await new Promise<ExitStatus>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ code, signal }))
    })
    if (failure) throw failure
    const stdoutBytes = Buffer.concat(stdout)
    return {
      ...status,
      stdoutBytes,
      stdout: stdoutBytes.toString(),
      stderr: Buffer.concat(stderr).toString(),
    }
  } finally {
    clearTimeout(timer)
  }
}

/** As `run`, but rejects with the program's standard error unless it ends with exit code 0. */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const result = await run(command, args, options)
  if (result.code === 0) return result
  throw new Error(`${command} ${args.join(' ')}: ${describeExit(result)}\n${result.stderr}${result.stdout}`)
}
