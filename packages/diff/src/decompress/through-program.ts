import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

const maxStderr = 4096

/** A program of the host that turns its standard input into its standard output. */
export interface HostProgram {
  readonly name: string
  /** Absolute, so that nothing in an image or in a search path has a say in what runs. */
  readonly path: string
  readonly args: readonly string[]
}

/** @returns undefined if there is no such program */
export function findProgram(name: string, path: string, args: readonly string[]): HostProgram | undefined {
  try {
    accessSync(path, constants.X_OK)
  } catch {
    return undefined
  }
  return { name, path, args }
}

/**
 * Passes bytes through a program, which is started with an empty environment in the root directory. Ending the iteration
 * early ends the program.
 *
 * @param failed makes the error for a program that fails; `reason` has its exit status and what it said
 */
export async function* throughProgram(
  program: HostProgram,
  input: AsyncIterable<Buffer>,
  options: { readonly failed: (reason: string) => Error; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<Buffer> {
  const child = spawn(program.path, program.args, { stdio: 'pipe', env: {}, cwd: '/' })
  try {
    let said = ''
    child.stderr.on('data', (text: Buffer) => {
      if (said.length < maxStderr) said += text.toString('latin1').slice(0, maxStderr)
    })
    const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, killedBy) => resolve(code ?? killedBy))
    })
    ended.catch(() => {})
    let failure: unknown
    const { signal } = options
    const fed = pipeline(Readable.from(input, { objectMode: true }), child.stdin, { signal }).catch(
      (error: unknown) => {
        // A program that stops reading before the end says why with its exit status.
        if ((error as NodeJS.ErrnoException).code === 'EPIPE') return
        failure = error
        child.kill('SIGKILL')
      },
    )
    for await (const chunk of child.stdout) yield chunk as Buffer
    await fed
    if (failure !== undefined) throw failure
    const status = await ended
    if (status !== 0) throw options.failed(`(${status}): ${said.trim()}`)
  } finally {
    child.kill('SIGKILL')
  }
}
