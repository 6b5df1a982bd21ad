import type { AbortOptions } from '@nsbox/concurrency'
import type { LayerCompression } from '@nsbox/oci'

/** Compressed bytes, which can be read once and in one of two ways. */
export interface CompressedBytes {
  /** All of them in order; each chunk is valid until the next one is requested. */
  chunks(): AsyncIterable<Buffer>
  /**
   * A descriptor, at offset 0, of a file with exactly these bytes, for a program to read; undefined if there is none.
   * The caller closes it.
   */
  file?(): number | undefined
}

/**
 * Decompresses bytes. A chunk is valid until the next one is requested. Reading ends with an error (`data_loss`) for a
 * stream that is damaged or cut off, and ending the iteration early releases everything, child processes included.
 */
export type Decompress = (compressed: CompressedBytes, options: AbortOptions) => AsyncIterable<Buffer>

/** A way to decompress one format. */
export interface DecompressionEngine {
  /** Shown in reports, such as `igzip` or `node:zlib`. */
  readonly name: string
  readonly format: Exclude<LayerCompression, 'none'>
  readonly decompress: Decompress
}
