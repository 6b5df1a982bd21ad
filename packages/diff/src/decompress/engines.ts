import type { DecompressionEngine } from './decompressor.ts'
import { programEngine } from './program-engine.ts'
import { wasmZstdEngine } from './wasm-zstd-engine.ts'
import { zlibEngine, zlibZstdEngine } from './zlib-engine.ts'

/** igzip of Debian's package isal: it takes three fifths of the processor time of Node's zlib. */
const igzipEngine = programEngine('igzip', 'gzip', '/usr/bin/igzip', ['-d', '-c', '-q'])

/** The zstd program; it refuses windows beyond 128 MiB. */
const zstdProgramEngine = programEngine('zstd', 'zstd', '/usr/bin/zstd', ['-d', '-c', '-q', '-'])

/** All decompressors of this machine, the fastest of each format first. */
export const engines: readonly DecompressionEngine[] = [
  igzipEngine,
  zlibEngine,
  zstdProgramEngine,
  zlibZstdEngine,
  wasmZstdEngine,
].filter((engine) => engine !== undefined)

// Starting a program takes about 4 ms of processor time, so it is used for larger layers only.
const worthAProgram = 4 * 1024 * 1024

/** How to choose an engine. */
export interface EngineWishes {
  /** Whether programs of the host may be used; true by default. */
  readonly programs?: boolean | undefined
  /** Number of compressed bytes; large by default. */
  readonly size?: number | undefined
}

/** The engine for a format: a program if there is one, unless the layer is small and Node can decompress it. */
export function engineFor(
  format: DecompressionEngine['format'],
  { programs = true, size = worthAProgram }: EngineWishes = {},
): DecompressionEngine {
  const program = format === 'gzip' ? igzipEngine : zstdProgramEngine
  const own = format === 'gzip' ? zlibEngine : zlibZstdEngine
  const fromNode = own ?? wasmZstdEngine
  if (program === undefined || !programs) return fromNode
  return size < worthAProgram && own !== undefined ? own : program
}
