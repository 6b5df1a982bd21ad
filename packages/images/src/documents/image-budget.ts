import { NsboxError } from '@nsbox/errors'

/** Limits for all layers of an image together. */
export interface ImageLimits {
  /** Bytes after decompression; 1 TiB by default. */
  readonly size: number
  /** Bytes after decompression for each byte before, once `freeSize` is exceeded; 200 by default. */
  readonly ratio: number
  /** Bytes after decompression up to which the ratio is ignored; 16 GiB by default. */
  readonly freeSize: number
}

const defaultImageLimits: ImageLimits = { size: 1024 ** 4, ratio: 200, freeSize: 16 * 1024 ** 3 }

/** Adds up the sizes of an image's layers. */
export class ImageBudget {
  readonly #limits: ImageLimits
  #compressed = 0
  #size = 0

  constructor(limits: Partial<ImageLimits> = {}) {
    this.#limits = { ...defaultImageLimits, ...limits }
  }

  /**
   * Counts a layer that was applied.
   * @throws `resource_exhausted` if the image exceeds its limits
   */
  add(layer: { readonly compressed: number; readonly size: number }): void {
    const { size, ratio, freeSize } = this.#limits
    this.#compressed += layer.compressed
    this.#size += layer.size
    if (this.#size > size) throw tooBig(`more than ${size} bytes`)
    if (this.#size > freeSize && this.#size > ratio * this.#compressed)
      throw tooBig(`more than ${ratio} times their compressed size`)
  }
}

function tooBig(reason: string): NsboxError {
  return new NsboxError('resource_exhausted', `the image's layers decompress to ${reason}`)
}
