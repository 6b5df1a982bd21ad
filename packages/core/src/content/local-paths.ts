import type { AbortOptions } from '@nsbox/concurrency'
import type { Digest } from '@nsbox/oci'
import type { ContentStore } from './content-store.ts'

/**
 * An extension of content stores that keep bytes in files of this host: worker threads and programs can be given a path
 * instead of bytes. The files must not be written to, and a path must not be used after its blob or ingest was removed.
 */
export interface LocalPaths {
  /**
   * The absolute path of a committed blob.
   * @throws `not_found`, `invalid_argument` for a malformed digest
   */
  blobPath(digest: Digest, options?: AbortOptions): Promise<string>

  /**
   * The absolute path of the file that an ingest's bytes are written to, in order from the first. Once a `write` has
   * resolved, its bytes can be read there; a commit gives the file another name, and `restart` makes it empty.
   * @throws `not_found`
   */
  ingestPath(ref: string, options?: AbortOptions): Promise<string>
}

/** Whether a store has local paths; a remote one has not. */
export function hasLocalPaths<T extends Partial<ContentStore>>(store: T): store is T & LocalPaths {
  return typeof (store as Partial<LocalPaths>).blobPath === 'function'
}
