import type { AbortOptions } from '@nsbox/core/content'
import type { LeaseStore } from '@nsbox/core/leases'
import { isNotFound } from '@nsbox/errors'
import { isExtractionKey } from '@nsbox/images'
import { digestOf, labelKeys } from '@nsbox/oci'

/** How long the content of a failed pull is held, so that another attempt can go on from there, in milliseconds. */
const leaseHours = 24

/** Label of a lease: the name of the image, or its digest if it is long. */
const imageLabel = 'nsbox/transfer.image'

/**
 * Leases of pulls. The lease of a successful pull is deleted, since the image holds everything. That of a failed one,
 * or of a killed server, stays until it expires or the next pull of the same image takes over its resources.
 */
export class PullLeases {
  /** Leases of running pulls. */
  readonly #active = new Set<string>()

  /** Runs `work` under a lease. */
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
        // An empty lease is of no use.
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
          // Snapshots that a killed server was extracting are of no use.
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
