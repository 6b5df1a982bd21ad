import type { DecompressionEngine } from './decompressor.ts'
import { programEngine } from './program-engine.ts'
import { wasmZstdEngine } from './wasm-zstd-engine.ts'
import { zlibEngine, zlibZstdEngine } from './zlib-engine.ts'

/** igzip of Debian's package isal: about four times as fast as zlib. */
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

/**
 * The engine to use for a format.
 * @param programs whether programs of the host may be used; true by default
 */
export function engineFor(format: DecompressionEngine['format'], programs = true): DecompressionEngine {
  const fits = engines.filter(
    (engine) =>
      engine.format === format && (programs || (engine !== igzipEngine && engine !== zstdProgramEngine)),
  )
  return fits[0]!
}
