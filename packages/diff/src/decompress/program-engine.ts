import { NsboxError } from '@nsbox/errors'
import type { DecompressionEngine } from './decompressor.ts'
import { findProgram, throughProgram } from './through-program.ts'

/**
 * An engine that is a program of the host. It reads a file by itself, and is fed what is no file.
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
        failed: (reason) => new NsboxError('data_loss', `${name} cannot decompress the layer ${reason}`),
      }),
  }
}
