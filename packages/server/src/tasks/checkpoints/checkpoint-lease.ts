import type { AbortOptions } from '@nsbox/core/content'
import type { LeaseStore } from '@nsbox/core/leases'
import { isNotFound } from '@nsbox/errors'
import { labelKeys } from '@nsbox/oci'

/** Milliseconds that a checkpoint is held for a caller without a lease, until something refers to it. */
const leaseTime = 3_600_000

/** The lease that holds the blobs of a checkpoint: the caller's, or one that is made on demand. */
export class CheckpointLease {
  readonly #leases: LeaseStore
  readonly #callers: string | undefined
  #own: string | undefined

  constructor(leases: LeaseStore, callers: string | undefined) {
    this.#leases = leases
    this.#callers = callers
  }

  async id({ signal }: AbortOptions): Promise<string> {
    if (this.#callers !== undefined) return this.#callers
    const labels = { [labelKeys.gcExpire]: new Date(Date.now() + leaseTime).toISOString() }
    this.#own ??= (await this.#leases.create({ labels }, { signal })).id
    return this.#own
  }

  /** Deletes the lease that was made here, since nothing will refer to the blobs. */
  async drop(): Promise<void> {
    if (this.#own === undefined) return
    try {
      await this.#leases.delete(this.#own)
    } catch (error) {
      // It may have expired, or been deleted by a user.
      if (!isNotFound(error)) throw error
    }
  }
}
