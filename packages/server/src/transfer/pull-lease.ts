import type { AbortOptions } from '@nsbox/core/content'
import type { LeaseStore } from '@nsbox/core/leases'
import { isNotFound } from '@nsbox/errors'
import { isExtractionKey } from '@nsbox/images'
import { digestOf, labelKeys } from '@nsbox/oci'

/** How long what a pull fetched is held, if the pull does not end well, so that another attempt can go on from there. */
const leaseHours = 24

/** On a lease: the image that the pull is of, or the digest of its name where that is long. */
const imageLabel = 'nsbox/transfer.image'

/**
 * Leases under which images are pulled: each pull has one, which ends with it once the image holds everything. The lease
 * of a pull that failed, or of a server that was killed, stays until it expires or until the next pull of the same image
 * takes over what it holds.
 */
export class PullLeases {
  /** Leases of pulls that are under way. */
  readonly #active = new Set<string>()

  /** Does `work` under a lease. */
  async under<T>(
    leases: LeaseStore,
    image: string,
    work: (lease: string) => Promise<T>,
    { signal }: AbortOptions = {},
  ): Promise<T> {
    const label = image.length > 1024 ? digestOf(image) : image
    const expiry = new Date(Date.now() + leaseHours * 3_600_000).toISOString()
    const labels = { [labelKeys.gcExpire]: expiry, [imageLabel]: label }
    const { id } = await leases.create({ labels }, { signal })
    this.#active.add(id)
    try {
      await this.#takeOver(leases, label, id, signal)
      const result = await work(id)
      await ifThere(() => leases.delete(id))
      return result
    } catch (error) {
      await ifThere(async () => {
        // A lease that holds nothing has no use.
        if ((await leases.resources(id)).length === 0) await leases.delete(id)
      })
      throw error
    } finally {
      this.#active.delete(id)
    }
  }

  async #takeOver(
    leases: LeaseStore,
    label: string,
    id: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (const left of await leases.list([], { signal })) {
      if (left.labels[imageLabel] !== label || this.#active.has(left.id)) continue
      await ifThere(async () => {
        for (const resource of await leases.resources(left.id, { signal })) {
          // What a server that was killed was extracting is of no use to anybody.
          if (resource.type.startsWith('snapshots/') && isExtractionKey(resource.id)) continue
          await leases.addResource(id, resource, { signal })
        }
        await leases.delete(left.id, { signal })
      })
    }
  }
}

/** A lease may expire, be deleted by a user or be taken over by another pull at any moment. */
async function ifThere(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
