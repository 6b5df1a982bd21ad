import type { AbortOptions } from '@nsbox/core/content'
import type {
  ImageEndpoint,
  ProgressListener,
  RegistryEndpoint,
  TransferEndpoint,
  Transferrer,
} from '@nsbox/core/transfer'
import { isAlreadyExists, isNotFound, NsboxError } from '@nsbox/errors'
import { type Flights, pull, push } from '@nsbox/images'
import type { Metadata } from '@nsbox/metadata'
import { labelKeys, type Platform } from '@nsbox/oci'
import { createRegistry } from '@nsbox/registry'

/** How long what a pull fetched is held, if the pull does not end well, so that another attempt can go on from there. */
const leaseHours = 24

/** On the lease of a pull: the reference, so that the attempt that ends well finds what others left behind. */
const pullLabel = 'nsbox/pull'

/** What a transfer service works with. */
export interface TransferServiceOptions {
  readonly metadata: Pick<Metadata, 'namespace'>
  readonly namespace: string
  /** The caller's own lease; without one, a pull makes one and ends it once an image holds everything. */
  readonly lease?: string | undefined
  /** Shared by all pulls of a server. */
  readonly flights: Flights
  /** Ids of the leases that pulls of this server work under at the moment; shared by all of them. */
  readonly pulling: Set<string>
  /** Directory of `hosts.toml` files, unless an endpoint names another. */
  readonly hostsDir?: string | undefined
}

type Progress = { readonly onProgress?: ProgressListener | undefined } & AbortOptions

/** Moves images between registries and the stores of one namespace. */
export class TransferService implements Transferrer {
  readonly #options: TransferServiceOptions

  constructor(options: TransferServiceOptions) {
    this.#options = options
  }

  async transfer(
    source: TransferEndpoint,
    destination: TransferEndpoint,
    options: Progress = {},
  ): Promise<void> {
    if (source.kind === 'registry' && destination.kind === 'image')
      await this.#pull(source, destination, options)
    else if (source.kind === 'image' && destination.kind === 'registry')
      await this.#push(source, destination, options)
    else if (source.kind === 'image' && destination.kind === 'image')
      await this.#tag(source, destination, options)
    else throw new NsboxError('unimplemented', `transfer from ${source.kind} to ${destination.kind}`)
  }

  async #pull(source: RegistryEndpoint, destination: ImageEndpoint, options: Progress): Promise<void> {
    await using registry = this.#registry(source)
    const remote = registry.remote(source.reference)
    await this.#withLease(
      source.reference,
      async (lease) => {
        const { content, images } = this.#options.metadata.namespace(this.#options.namespace, { lease })
        await pull({
          remote,
          name: destination.name,
          content,
          images,
          platforms: destination.platforms,
          allMetadata: destination.allMetadata,
          labels: destination.labels,
          flights: this.#options.flights,
          ...options,
        })
      },
      options,
    )
  }

  async #push(source: ImageEndpoint, destination: RegistryEndpoint, options: Progress): Promise<void> {
    const { content, images } = this.#view()
    const { target } = await images.get(source.name, options)
    await using registry = this.#registry(destination)
    await push(target, {
      registry,
      reference: destination.reference,
      content,
      platform: onePlatform(source.platforms),
      ...options,
    })
  }

  async #tag(source: ImageEndpoint, destination: ImageEndpoint, { signal }: Progress): Promise<void> {
    const { images } = this.#view()
    const { target } = await images.get(source.name, { signal })
    const { name, labels = {} } = destination
    try {
      await images.create({ name, target, labels }, { signal })
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      await images.update(name, { target, labels: { merge: labels } }, { signal })
    }
  }

  async #withLease(
    reference: string,
    work: (lease: string) => Promise<void>,
    { signal }: AbortOptions,
  ): Promise<void> {
    const { lease, pulling } = this.#options
    if (lease !== undefined) return await work(lease)
    const { leases } = this.#view()
    const expiry = new Date(Date.now() + leaseHours * 3_600_000).toISOString()
    const labels = { [labelKeys.gcExpire]: expiry, [pullLabel]: reference }
    const { id } = await leases.create({ labels }, { signal })
    pulling.add(id)
    try {
      await work(id)
    } catch (error) {
      // What was fetched stays until the lease expires; a lease that holds nothing has no use.
      if ((await leases.resources(id)).length === 0) await leases.delete(id)
      throw error
    } finally {
      pulling.delete(id)
    }
    await this.#endLeases(reference)
  }

  /** Ends the lease of a pull that ended well, and those of earlier attempts, which would hold the image for hours. */
  async #endLeases(reference: string): Promise<void> {
    const { leases } = this.#view()
    for (const { id, labels } of await leases.list()) {
      if (labels[pullLabel] !== reference || this.#options.pulling.has(id)) continue
      try {
        await leases.delete(id)
      } catch (error) {
        // Another pull of the same reference ended at the same time.
        if (!isNotFound(error)) throw error
      }
    }
  }

  #view() {
    const { metadata, namespace, lease } = this.#options
    return metadata.namespace(namespace, lease === undefined ? {} : { lease })
  }

  #registry({ credentials, headers, hostsDir, defaultScheme }: RegistryEndpoint) {
    return createRegistry({
      credentials,
      headers,
      defaultScheme,
      hostsDir: hostsDir ?? this.#options.hostsDir,
    })
  }
}

function onePlatform(platforms: readonly Platform[] = []): Platform | undefined {
  if (platforms.length > 1)
    throw new NsboxError('unimplemented', 'pushing some but not all platforms of an image')
  return platforms[0]
}
