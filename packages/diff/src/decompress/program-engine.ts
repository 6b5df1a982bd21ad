import { NsboxError } from '@nsbox/errors'
import type { DecompressionEngine } from './decompressor.ts'
import { findProgram, throughProgram } from './through-program.ts'

/** The exit status of glibc's loader for a program whose libraries are missing. */
const cannotRun = 127

/**
 * An engine that is a program of the host. It reads a file by itself; other bytes are written to its standard input.
 *
 * @param path absolute
 * @returns undefined if there is no such program
 */
export function programEngine(
  name: string,
  format: DecompressionEngine['format'],
  path: string,
  args: readonly string[],
): DecompressionEngine | undefined {
  const program = findProgram(name, path, args)
  if (program === undefined) return undefined
  return {
    name,
    format,
    decompress: (compressed, { signal }) =>
      throughProgram(program, compressed.file?.() ?? compressed.chunks(), {
        signal,
        failed: (status, said) => failure(name, path, status, said),
      }),
  }
}

/** The error for a program's end; it does not blame the layer if the program could not run. */
function failure(name: string, path: string, status: number | string, said: string): NsboxError {
  if (status === cannotRun || typeof status === 'string')
    return new NsboxError('unavailable', `${path} does not run (${status}): ${said}`)
  return new NsboxError('data_loss', `${name} cannot decompress the layer (${status}): ${said}`)
}
