import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, closeSync, constants } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { NsboxError } from '@nsbox/errors'
import { pipe } from '@nsbox/sys'
import type { CompressedBytes, DecompressionEngine } from './decompressor.ts'
import { readPipe } from './read-pipe.ts'

const maxStderr = 4096
// What the program may be ahead by, while an entry is written; the most that the kernel gives everybody.
const pipeSize = 1024 * 1024

/**
 * An engine that is a program of the host. It is named by its absolute path and started with an empty environment in
 * the root directory, so that nothing in an image or in a search path has a say in what runs.
 *
 * It reads a file by itself, and is fed what is no file; it writes to a pipe.
 *
 * @returns undefined if there is no such program
 */
export function programEngine(
  name: string,
  format: DecompressionEngine['format'],
  path: string,
  args: readonly string[],
): DecompressionEngine | undefined {
  try {
    accessSync(path, constants.X_OK)
  } catch {
    return undefined
  }
  return {
    name,
    format,
    async *decompress(compressed, { signal }) {
      const file = compressed.file?.()
      const { child, output } = start(path, args, file)
      try {
        const said = saidOf(child)
        const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
          child.once('error', reject)
          child.once('close', (code, killedBy) => resolve(code ?? killedBy))
        })
        ended.catch(() => {})
        const fed = file === undefined ? feed(child, compressed, signal) : undefined
        yield* readPipe(output, pipeSize, signal)
        const failure = await fed
        if (failure !== undefined) throw failure
        const status = await ended
        if (status !== 0)
          throw new NsboxError('data_loss', `${name} cannot decompress the layer (${status}): ${said()}`)
      } finally {
        child.kill('SIGKILL')
      }
    },
  }
}

/** @returns the program, and the end of the pipe that its output is read from */
function start(path: string, args: readonly string[], file: number | undefined) {
  const { read, write } = pipe(pipeSize)
  try {
    const child = spawn(path, args, { stdio: [file ?? 'pipe', write, 'pipe'], env: {}, cwd: '/' })
    return { child, output: read }
  } catch (error) {
    closeSync(read)
    throw error
  } finally {
    closeSync(write)
  }
}

function saidOf(child: ChildProcess): () => string {
  let said = ''
  child.stderr!.on('data', (text: Buffer) => {
    if (said.length < maxStderr) said += text.toString('latin1').slice(0, maxStderr)
  })
  return () => said.trim()
}

/** @returns what went wrong with the bytes, which ends the program */
async function feed(
  child: ChildProcess,
  compressed: CompressedBytes,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const source = Readable.from(compressed.chunks(), { objectMode: true })
  try {
    await pipeline(source, child.stdin!, { signal })
  } catch (error) {
    // A program that stops reading before the end says why with its exit status.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return undefined
    child.kill('SIGKILL')
    return error
  }
}
