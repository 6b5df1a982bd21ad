import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, closeSync, constants } from 'node:fs'
import { addAbortSignal } from 'node:stream'
import type { AbortOptions } from '@nsbox/concurrency'
import { isErrno, isUnimplemented } from '@nsbox/errors'
import { readPipe } from './read-pipe.ts'
import { writeChunks } from './write-chunks.ts'

const maxStderr = 4096
// The size of the pipe, which bounds how far the program is ahead; the largest without privileges.
const pipeSize = 1024 * 1024

/** A program of the host that turns its standard input into its standard output. */
export interface HostProgram {
  readonly name: string
  /** Absolute, so that neither an image nor a search path decides which program runs. */
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
 * Passes bytes through a program, which is started with an empty environment in the root directory. A chunk is valid
 * until the next one is requested. Ending the iteration early ends the program.
 *
 * @param input the bytes, or the descriptor of a file that has them from its offset on
 * @param failed makes the error for a program that fails, from its exit status or signal, and its standard error
 */
export async function* throughProgram(
  program: HostProgram,
  input: AsyncIterable<Uint8Array> | number,
  options: AbortOptions & { readonly failed: (status: number | NodeJS.Signals, said: string) => Error },
): AsyncGenerator<Buffer> {
  const { signal } = options
  const { child, output } = start(await widePipe(), program, typeof input === 'number' ? input : 'pipe')
  try {
    const said = saidBy(child)
    const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, killedBy) => resolve(code ?? killedBy!))
    })
    ended.catch(() => {})
    const fed = typeof input === 'number' ? undefined : feed(child, input, signal)
    if (output !== undefined) yield* readPipe(output, pipeSize, signal)
    else yield* signal === undefined ? child.stdout! : addAbortSignal(signal, child.stdout!)
    const failure = await fed
    if (failure !== undefined) throw failure
    const status = await ended
    if (status !== 0) throw options.failed(status, said())
  } finally {
    child.kill('SIGKILL')
  }
}

interface Pipe {
  readonly read: number
  readonly write: number
}

/**
 * A pipe that holds more than Node's own. Undefined where system calls cannot be made, or whoever reads archives has
 * installed nothing with native code.
 */
async function widePipe(): Promise<Pipe | undefined> {
  try {
    const { pipe } = await import('@nsbox/sys')
    return pipe(pipeSize)
  } catch (error) {
    if (isUnimplemented(error) || isErrno(error, 'ERR_MODULE_NOT_FOUND')) return undefined
    throw error
  }
}

/** @returns the program, and the reading end of the pipe that takes its output */
function start(pipe: Pipe | undefined, { path, args }: HostProgram, stdin: number | 'pipe') {
  try {
    const child = spawn(path, args, { stdio: [stdin, pipe?.write ?? 'pipe', 'pipe'], env: {}, cwd: '/' })
    return { child, output: pipe?.read }
  } catch (error) {
    if (pipe !== undefined) closeSync(pipe.read)
    throw error
  } finally {
    if (pipe !== undefined) closeSync(pipe.write)
  }
}

function saidBy(child: ChildProcess): () => string {
  let said = ''
  child.stderr!.on('data', (text: Buffer) => {
    if (said.length < maxStderr) said += text.toString('latin1').slice(0, maxStderr)
  })
  return () => said.trim()
}

/** @returns the error of the input, if there is one; the program is killed then */
async function feed(
  child: ChildProcess,
  input: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  try {
    await writeChunks(child.stdin!, input, signal)
  } catch (error) {
    // If a program stops reading early, its exit status shows why.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return undefined
    child.kill('SIGKILL')
    return error
  }
}
