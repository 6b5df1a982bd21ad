import type { LayerCompression } from '@nsbox/oci'

/** Compressed bytes, which can be had once and in one of two ways. */
export interface CompressedBytes {
  /** All of them in order; each chunk is valid until the next one is asked for. */
  chunks(): AsyncIterable<Buffer>
  /**
   * A descriptor, at offset 0, of a file that has these bytes and no others, for a program to read by itself; undefined
   * where there is no such file. Whoever gave the bytes closes it.
   */
  file?(): number | undefined
}

/**
 * Turns compressed bytes into plain ones. A chunk is valid until the next one is asked for. Reading ends with an error
 * (`data_loss`) for a stream that is damaged or cut, and ending the iteration early releases everything, child processes
 * included.
 */
export type Decompress = (compressed: CompressedBytes, options: DecompressOptions) => AsyncIterable<Buffer>

export interface DecompressOptions {
  readonly signal?: AbortSignal | undefined
}

/** A way to decompress one format. */
export interface DecompressionEngine {
  /** Shown in reports, such as `igzip` or `node:zlib`. */
  readonly name: string
  readonly format: Exclude<LayerCompression, 'none'>
  readonly decompress: Decompress
}
