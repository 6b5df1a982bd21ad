import type { AbortOptions } from '@nsbox/concurrency'
import type { Timestamp } from '@nsbox/time'
import type { Labels } from '../labels/labels.ts'

/**
 * Keeps resources from being collected while something is being built from them. A lease with the label
 * `containerd.io/gc.expire` (RFC 3339) ends then; with `containerd.io/gc.flat` it holds only what it names, not what
 * that refers to (docs/behaviour.md §6).
 */
export interface Lease {
  readonly id: string
  readonly createdAt: Timestamp
  readonly labels: Labels
}

/**
 * Something that a lease can hold: `type` is `content` (id: a digest), `ingests` (id: a ref), `images` (id: a name)
 * or `snapshots/<snapshotter>` (id: a key).
 */
export interface LeaseResource {
  readonly type: string
  readonly id: string
}

/** A new lease. */
export interface NewLease {
  /** By default the store makes one: `<nanoseconds>-<base64url of 3 random bytes>`. */
  readonly id?: string | undefined
  readonly labels?: Labels | undefined
}

/** Leases by id. */
export interface LeaseStore {
  /** @throws `already_exists`, `invalid_argument` for labels beyond the limits or an expiry that is no RFC 3339 time */
  create(lease?: NewLease, options?: AbortOptions): Promise<Lease>

  /**
   * Deletes a lease; with `sync`, waits until everything that only it held has been collected.
   * @throws `not_found`
   */
  delete(id: string, options?: { readonly sync?: boolean | undefined } & AbortOptions): Promise<void>

  /**
   * The leases that match any of the filters (fields `id`, `labels.*`), ordered by id; all of them if there is no
   * filter.
   * @throws `invalid_argument` for a filter that does not parse
   */
  list(filters?: readonly string[], options?: AbortOptions): Promise<Lease[]>

  /**
   * Lets a lease hold a resource, which need not exist; idempotent.
   * @throws `not_found` for the lease, `unimplemented` for an unknown type, `invalid_argument` for a malformed one
   */
  addResource(id: string, resource: LeaseResource, options?: AbortOptions): Promise<void>

  /** Releases a resource; idempotent. Errors as for `addResource`. */
  deleteResource(id: string, resource: LeaseResource, options?: AbortOptions): Promise<void>

  /** The resources of a lease, ordered by type and id. @throws `not_found` */
  resources(id: string, options?: AbortOptions): Promise<LeaseResource[]>
}
