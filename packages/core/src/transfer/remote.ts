import type { AbortOptions } from '@nsbox/concurrency'
import type { Descriptor } from '@nsbox/oci'

/**
 * A repository of a registry, or another source of blobs, bound to one reference. Implementations do not verify
 * digests: the caller that stores the bytes does.
 */
export interface Remote {
  /** The reference it is bound to, such as `docker.io/library/redis:latest`. */
  readonly reference: string

  /**
   * Resolves the reference.
   * @throws `not_found`, `unauthenticated`, `permission_denied`, `unavailable`, `invalid_argument` for a malformed
   * reply
   */
  resolve(options?: AbortOptions): Promise<Descriptor>

  /**
   * The bytes of a manifest or blob from `offset` on (0 by default). Broken connections are resumed; never more bytes
   * than the descriptor's size are delivered. Errors come from the iteration.
   * @throws as `resolve`; `data_loss` for a body that keeps ending early
   */
  fetch(
    descriptor: Descriptor,
    options?: { readonly offset?: number } & AbortOptions,
  ): AsyncIterable<Uint8Array>

  /**
   * Stores a manifest or blob. `read` gives its bytes from the start, each time it is called.
   * @param mountFrom repositories of the same registry that hold the blob, to be mounted instead of sent
   * @returns how it was stored: with `exists` and `mounted` nothing was sent
   * @throws as `resolve`; `failed_precondition` if the registry computed another digest
   */
  push(
    descriptor: Descriptor,
    read: () => AsyncIterable<Uint8Array>,
    options?: { readonly mountFrom?: readonly string[] } & AbortOptions,
  ): Promise<'pushed' | 'exists' | 'mounted'>
}
