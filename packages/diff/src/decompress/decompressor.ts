import type { LayerCompression } from '@nsbox/oci'

/**
 * Turns compressed bytes into plain ones. Reading ends with an error (`data_loss`) for a stream that is damaged or cut,
 * and ending the iteration early releases everything, child processes included.
 */
export type Decompress = (
  compressed: AsyncIterable<Buffer>,
  options: DecompressOptions,
) => AsyncIterable<Buffer>

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
