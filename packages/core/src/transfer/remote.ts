import type { AbortOptions } from '@nsbox/concurrency'
import type { Descriptor } from '@nsbox/oci'

/**
 * A repository on a registry, or anything else that names and holds blobs, bound to one reference. Implementations
 * check nothing against digests: whoever writes the bytes down does.
 */
export interface Remote {
  /** The reference it is bound to, such as `docker.io/library/redis:latest`. */
  readonly reference: string

  /**
   * What the reference points to at this moment.
   * @throws `not_found`, `unauthenticated`, `permission_denied`, `unavailable`, `invalid_argument` for a reply that makes
   * no sense
   */
  resolve(options?: AbortOptions): Promise<Descriptor>

  /**
   * The bytes of a manifest or blob from `offset` on (0 by default). Broken connections are mended inside; more bytes
   * than the descriptor's size are never delivered. Errors come from the iteration.
   * @throws as `resolve`; `data_loss` for a body that ends early for good
   */
  fetch(
    descriptor: Descriptor,
    options?: { readonly offset?: number } & AbortOptions,
  ): AsyncIterable<Uint8Array>

  /**
   * Stores a manifest or blob. `read` gives its bytes from the start, each time it is called.
   * @param mountFrom repositories of the same registry that hold the blob, to be mounted instead of sent
   * @returns what it took: `exists` and `mounted` sent nothing
   * @throws as `resolve`; `failed_precondition` if the registry computed another digest
   */
  push(
    descriptor: Descriptor,
    read: () => AsyncIterable<Uint8Array>,
    options?: { readonly mountFrom?: readonly string[] } & AbortOptions,
  ): Promise<'pushed' | 'exists' | 'mounted'>
}
