import type { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import * as zlib from 'node:zlib'
import type { AbortOptions } from '@nsbox/concurrency'
import { NsboxError } from '@nsbox/errors'
import type { LayerCompression } from '@nsbox/oci'
import { findProgram, throughProgram } from '../decompress/through-program.ts'

/** Compresses bytes. Ending the iteration early releases everything, child processes included. */
type Compress = (plain: AsyncIterable<Uint8Array>, options: AbortOptions) => AsyncIterable<Buffer>

// Larger than the default of 16 KiB, since each chunk is a job for libuv's thread pool.
const chunkSize = 256 * 1024

/** zlib's default level, as containerd's; the header names no file and no time. */
const gzip: Compress = through(() => zlib.createGzip({ chunkSize }))

/**
 * The compressor of a format. The same bytes give the same result on the same machine.
 *
 * @throws `unimplemented` if this machine has no compressor for it
 */
export function compressorFor(format: Exclude<LayerCompression, 'none'>): Compress {
  const compress = format === 'gzip' ? gzip : (zstdProgram() ?? zstdOfNode())
  if (compress !== undefined) return compress
  throw new NsboxError('unimplemented', `compressing a layer as ${format} needs /usr/bin/zstd or Node 22.15`)
}

function zstdProgram(): Compress | undefined {
  const program = findProgram('zstd', '/usr/bin/zstd', ['-q', '-c', '--single-thread', '-'])
  if (program === undefined) return undefined
  return (plain, options) =>
    throughProgram(program, plain, {
      ...options,
      failed: (status, said) =>
        new NsboxError('internal', `zstd cannot compress the layer (${status}): ${said}`),
    })
}

function zstdOfNode(): Compress | undefined {
  const create = (zlib as { createZstdCompress?: (options: { chunkSize: number }) => Transform })
    .createZstdCompress
  return create === undefined ? undefined : through(() => create({ chunkSize }))
}

function through(create: () => Transform): Compress {
  return async function* compress(plain, { signal }) {
    const output = create()
    const done = pipeline(plain, output, { signal })
    try {
      for await (const chunk of output) yield chunk as Buffer
      await done
    } finally {
      output.destroy()
      // It fails only if the output does, or if the reader has ended.
      await done.catch(() => {})
    }
  }
}
