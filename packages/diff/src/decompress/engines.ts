import type { DecompressionEngine } from './decompressor.ts'
import { programEngine } from './program-engine.ts'
import { wasmZstdEngine } from './wasm-zstd-engine.ts'
import { zlibEngine, zlibZstdEngine } from './zlib-engine.ts'

/** igzip of Debian's package isal: it takes three fifths of the processor time of Node's zlib. */
const igzipEngine = programEngine('igzip', 'gzip', '/usr/bin/igzip', ['-d', '-c', '-q'])

/** The zstd program; it refuses windows beyond 128 MiB. */
const zstdProgramEngine = programEngine('zstd', 'zstd', '/usr/bin/zstd', ['-d', '-c', '-q', '-'])

/** All engines that this machine has, the fastest of each format first. */
export const engines: readonly DecompressionEngine[] = [
  igzipEngine,
  zlibEngine,
  zstdProgramEngine,
  zlibZstdEngine,
  wasmZstdEngine,
].filter((engine) => engine !== undefined)

// What starting one costs (about 4 ms of processor time, and longer until it runs) it must save.
const worthAProgram = 4 * 1024 * 1024

/** What an engine is chosen by. */
export interface EngineWishes {
  /** Whether programs of the host may be used; true by default. */
  readonly programs?: boolean | undefined
  /** Compressed bytes that are to come; many by default. */
  readonly size?: number | undefined
}

/** The engine to use for a format: a program where there is one, unless the bytes are few and Node can do it. */
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
