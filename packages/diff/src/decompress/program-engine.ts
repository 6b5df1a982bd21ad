import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { NsboxError } from '@nsbox/errors'
import type { DecompressionEngine } from './decompressor.ts'

const maxStderr = 4096

/**
 * An engine that is a program of the host, fed and read through pipes. It is named by its absolute path and started
 * with an empty environment in the root directory, so that nothing in an image or in a search path has a say in what
 * runs.
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
      const child = spawn(path, args, { stdio: 'pipe', env: {}, cwd: '/' })
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
        const fed = pipeline(Readable.from(compressed, { objectMode: true }), child.stdin, { signal }).catch(
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
        if (status !== 0)
          throw new NsboxError('data_loss', `${name} cannot decompress the layer (${status}): ${said.trim()}`)
      } finally {
        child.kill('SIGKILL')
      }
    },
  }
}
