import { NsboxError } from '@nsbox/errors'

/** Limits of one layer. */
export interface LayerLimits {
  /** Bytes after decompression, and of any single file with its holes; 256 GiB by default. */
  readonly size: number
  /** Most bytes after decompression for each byte before, once `freeSize` is exceeded; 200 by default. */
  readonly ratio: number
  /** Bytes after decompression up to which the ratio is ignored; 4 GiB by default. */
  readonly freeSize: number
  /** Headers of the archive; 2,000,000 by default. */
  readonly headers: number
  /**
   * Bytes of all names, and of all other data kept in memory until the layer's end; 256 MiB by default. A million files
   * with names of two hundred bytes fit.
   */
  readonly kept: number
}

export const defaultLayerLimits: LayerLimits = {
  size: 256 * 1024 ** 3,
  ratio: 200,
  freeSize: 4 * 1024 ** 3,
  headers: 2_000_000,
  kept: 256 * 1024 ** 2,
}

/** @throws `resource_exhausted` if the decompressed bytes so far are too many for the compressed ones */
export function checkPlainSize(
  what: string,
  size: number,
  compressed: number,
  { size: most, freeSize, ratio }: LayerLimits,
): void {
  if (size <= most && (size <= freeSize || size <= ratio * compressed)) return
  const reason = size > most ? `${most} bytes` : `${ratio} times its compressed size`
  throw new NsboxError('resource_exhausted', `the ${what} decompresses to more than ${reason}`)
}
