import type { AbortOptions } from '@nsbox/core/content'
import { isNotFound, isNsboxError, NsboxError } from '@nsbox/errors'
import { isExtractionKey } from '@nsbox/images'
import type { Metadata, NamespaceView } from '@nsbox/metadata'
import { assertDigest, digestOf, labelKeys } from '@nsbox/oci'
import { isOutOfRoom } from './out-of-room.ts'

/** How long the content of a failed pull is held, so that another attempt can resume it, in hours. */
const leaseHours = 24

/** Label of a lease: the name of the image, or the name's digest if it is long. */
const imageLabel = 'nsbox/transfer.image'

/**
 * Leases of pulls. The lease of a successful pull is deleted, since the image holds everything. That of a failed one,
 * or of a killed server, stays until it expires, until the next pull of the same image takes over its resources, or
 * until another pull needs the room. A pull that fails because the disk is full releases its content at once.
 */
export class PullLeases {
  readonly #metadata: Pick<Metadata, 'namespace' | 'namespaces' | 'collect'>
  /** Leases of running pulls. */
  readonly #active = new Set<string>()

  constructor(metadata: Pick<Metadata, 'namespace' | 'namespaces' | 'collect'>) {
    this.#metadata = metadata
  }

  /**
   * Runs `work` under a lease of a namespace.
   * @throws what `work` throws, with the details `heldBytes`, `heldLease` and `heldUntil` if something stays held
   */
  async under<T>(
    namespace: string,
    image: string,
    work: (lease: string) => Promise<T>,
    { signal }: AbortOptions = {},
  ): Promise<T> {
    const view = this.#metadata.namespace(namespace)
    const { leases } = view
    const label = image.length > 1024 ? digestOf(image) : image
    const expiry = new Date(Date.now() + leaseHours * 3_600_000).toISOString()
    const labels = { [labelKeys.gcExpire]: expiry, [imageLabel]: label }
    const { id } = await this.withRoom(() => leases.create({ labels }, { signal }))
    this.#active.add(id)
    try {
      const result = await this.withRoom(async () => {
        await this.#takeOver(view, label, id, signal)
        return await work(id)
      })
      await ifThere(() => leases.delete(id))
      return result
    } catch (error) {
      if (isOutOfRoom(error)) {
        // Others need the room. If even this fails on a full disk, the next pull tries again.
        await leases.delete(id, { sync: true }).catch(() => undefined)
        throw error
      }
      const heldBytes = await bytesHeld(view, id)
      // An empty lease is of no use.
      if (heldBytes === undefined) await ifThere(() => leases.delete(id))
      throw heldBytes ? holding(error, { heldBytes, heldLease: id, heldUntil: expiry }) : error
    } finally {
      this.#active.delete(id)
    }
  }

  /** Runs `work`, and once more if the disk was full and content of failed pulls could be released. */
  async withRoom<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!isOutOfRoom(error) || !(await this.#giveBack())) throw error
    }
    return await work()
  }

  /** Releases the content of failed pulls, in all namespaces: they share the disk. @returns whether there was any */
  async #giveBack(): Promise<boolean> {
    let found = false
    for (const { name } of await this.#metadata.namespaces.list()) {
      const { leases } = this.#metadata.namespace(name)
      for (const { id, labels } of await leases.list()) {
        if (labels[imageLabel] === undefined || this.#active.has(id)) continue
        await ifThere(() => leases.delete(id))
        found = true
      }
    }
    if (found) await this.#metadata.collect()
    return found
  }

  async #takeOver(
    { leases }: NamespaceView,
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

/** Bytes of downloads that a lease holds; undefined if it holds nothing at all. */
async function bytesHeld({ leases, content }: NamespaceView, id: string): Promise<number | undefined> {
  let bytes: number | undefined
  await ifThere(async () => {
    for (const resource of await leases.resources(id)) {
      bytes ??= 0
      await ifThere(async () => {
        if (resource.type === 'ingests') bytes! += (await content.status(resource.id)).offset
        if (resource.type !== 'content') return
        assertDigest(resource.id)
        bytes! += (await content.info(resource.id)).size
      })
    }
  })
  return bytes
}

/** The same error, with details of what is held. */
function holding(error: unknown, held: NsboxError['details']): unknown {
  if (!isNsboxError(error)) return error
  const { code, context, details } = error
  return new NsboxError(code, context, { cause: error, details: { ...details, ...held } })
}

/** A lease may expire, be deleted by a user or be taken over by another pull at any moment. */
async function ifThere(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
