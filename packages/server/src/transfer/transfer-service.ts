import type { AbortOptions } from '@nsbox/core/content'
import type {
  ArchiveSource,
  ImageEndpoint,
  ProgressListener,
  RegistryEndpoint,
  TransferDestination,
  Transferrer,
  TransferSource,
} from '@nsbox/core/transfer'
import { NsboxError } from '@nsbox/errors'
import {
  createFollowers,
  fetchImage,
  pullImage,
  pushImage,
  recordImage,
  type UnpackDestination,
  type UnpackWish,
  unpackImage,
} from '@nsbox/images'
import type { Metadata, NamespaceView } from '@nsbox/metadata'
import { type Descriptor, defaultPlatform, parseReference } from '@nsbox/oci'
import { createRegistry, logListeners, type Registry } from '@nsbox/registry'
import { ServerCounts } from '../counts/server-counts.ts'
import { type FlightsOf, flightsByNamespace } from '../flights-by-namespace.ts'
import { tracedRemote } from '../tracing/traced-remote.ts'
import { noTracer, type Tracer } from '../tracing/tracer.ts'
import { exportArchive, importArchive, underOwnLease } from './archive-transfer.ts'
import { imageNames } from './image-names.ts'
import { PullLeases } from './pull-lease.ts'

/** Options of a transfer service. */
export interface TransferServiceOptions {
  readonly metadata: Pick<Metadata, 'namespace' | 'namespaces' | 'collect'>
  /** Directory of `hosts.toml` files, unless an endpoint names another. */
  readonly hostsDir?: (() => string | undefined) | undefined
  /** Finds where to unpack images; without it, unpacking is refused. */
  readonly destinations?: UnpackDestinations | undefined
  /** Shared with all others that unpack images. */
  readonly flights?: FlightsOf | undefined
  /** Counts pulls, and the bytes that arrive. */
  readonly counts?: Pick<ServerCounts, 'pull' | 'arrived'> | undefined
  readonly tracer?: Tracer | undefined
}

/**
 * Finds where to unpack for a caller: into the snapshotter of the given name, or the one that the caller's namespace
 * has by default.
 * @throws `invalid_argument` if there is no such snapshotter
 */
export type UnpackDestinations = (
  caller: Caller,
  snapshotter: string | undefined,
  options: AbortOptions,
) => Promise<UnpackDestination>

/** The caller of a transfer. */
export interface Caller {
  readonly namespace: string
  /** The caller's own lease; without one, a pull makes one. */
  readonly lease?: string | undefined
  /**
   * Whether the caller is a tenant, who must use neither the host's settings for registries nor registries on the host.
   */
  readonly isTenant?: boolean | undefined
}

type Progress = { readonly onProgress?: ProgressListener | undefined } & AbortOptions

/**
 * Moves images between registries, archives and the stores of namespaces. One per server: its pulls share their
 * downloads.
 */
export class TransferService {
  readonly #options: TransferServiceOptions
  readonly #flights: FlightsOf
  readonly #followers = createFollowers()
  readonly #leases: PullLeases
  readonly #counts: Pick<ServerCounts, 'pull' | 'arrived'>
  readonly #tracer: Tracer

  constructor(options: TransferServiceOptions) {
    this.#options = options
    this.#leases = new PullLeases(options.metadata)
    this.#counts = options.counts ?? new ServerCounts()
    this.#tracer = options.tracer ?? noTracer
    this.#flights = options.flights ?? flightsByNamespace(() => false)
  }

  /** The service, as one caller uses it. */
  for(caller: Caller): Transferrer {
    return {
      transfer: async (source, destination, options = {}) => {
        const facts = () => ({
          'nsbox.namespace': caller.namespace,
          'nsbox.source': source.kind,
          'nsbox.destination': destination.kind,
        })
        await this.#tracer.span('nsbox.transfer', facts, () =>
          this.#transfer(caller, source, destination, options),
        )
      },
    }
  }

  async #transfer(
    caller: Caller,
    source: TransferSource,
    destination: TransferDestination,
    options: Progress,
  ): Promise<void> {
    if (source.kind === 'image') {
      refuseUnpacking(source)
      if (destination.kind === 'archive sink')
        return await exportArchive(this.#view(caller), source, destination, options)
      refuseReferences(source)
      if (destination.kind === 'registry') return await this.#push(caller, source, destination, options)
      return await this.#tag(caller, source, destination, options)
    }
    if (source.kind === 'registry') {
      if (destination.kind === 'image') return await this.#pull(caller, source, destination, options)
      if (destination.kind === 'registry') return await this.#copy(caller, source, destination, options)
    } else {
      if (destination.kind === 'image') return await this.#import(caller, source, destination, options)
      if (destination.kind === 'archive sink') return await destination.take(source.bytes, options)
    }
    throw new NsboxError('unimplemented', `transfer from ${source.kind} to ${destination.kind}`)
  }

  async #pull(
    caller: Caller,
    source: RegistryEndpoint,
    destination: ImageEndpoint,
    options: Progress,
  ): Promise<void> {
    requireWholeName(destination)
    await using registry = this.#registry(caller, source)
    const work = async (lease: string) => {
      const { content, images } = this.#view({ ...caller, lease })
      const { platforms, allMetadata, manifestLimit, labels } = destination
      const names = (target: Descriptor) => imageNames(destination, target)
      const remote = tracedRemote(registry.remote(source.reference), this.#tracer)
      const unpack = await this.#wishes({ ...caller, lease }, destination, options)
      const what = { remote, names, platforms, allMetadata, manifestLimit, labels, unpack }
      const shared = { flights: this.#flights(caller.namespace), followers: this.#followers }
      await pullImage({ ...what, ...shared, content, images, ...options })
    }
    const { lease, namespace } = caller
    const { reference } = source
    const facts = { registry: parseReference(reference).host, namespace, reference }
    const pull = async () => {
      if (lease !== undefined) await this.#leases.withRoom(() => work(lease))
      else await this.#leases.under(namespace, destination.name || source.reference, work, options)
    }
    const shown = () => ({
      'nsbox.namespace': namespace,
      'nsbox.registry': facts.registry,
      'nsbox.reference': reference,
    })
    await this.#tracer.span('nsbox.pull', shown, () => this.#counts.pull(facts, pull))
  }

  async #import(
    caller: Caller,
    source: ArchiveSource,
    destination: ImageEndpoint,
    options: Progress,
  ): Promise<void> {
    const work = async (lease: string) => {
      const wishes = await this.#wishes({ ...caller, lease }, destination, options)
      const view = this.#view({ ...caller, lease })
      const flights = this.#flights(caller.namespace)
      await importArchive(view, source, destination, { ...options, wishes, flights })
    }
    await this.#underLease(caller, work, options)
  }

  /** Gives an image further names, once it is unpacked where that is wished. */
  async #tag(
    caller: Caller,
    source: ImageEndpoint,
    destination: ImageEndpoint,
    options: Progress,
  ): Promise<void> {
    requireWholeName(destination)
    const work = async (lease: string) => {
      const { content, images } = this.#view({ ...caller, lease })
      const { target } = await images.get(source.name, options)
      const flights = this.#flights(caller.namespace)
      for (const wish of await this.#wishes({ ...caller, lease }, destination, options))
        await unpackImage(target, { ...wish, content, flights, ...options })
      const { labels = {} } = destination
      for (const name of imageNames(destination, target))
        await recordImage(images, { name, target, labels }, options)
    }
    await this.#underLease(caller, work, options)
  }

  /** Copies an image from one registry to another by way of the content store, where only a lease holds it. */
  async #copy(
    caller: Caller,
    source: RegistryEndpoint,
    destination: RegistryEndpoint,
    options: Progress,
  ): Promise<void> {
    await using from = this.#registry(caller, source)
    await using to = this.#registry(caller, destination)
    const work = async (lease: string) => {
      const { content } = this.#view({ ...caller, lease })
      const shared = { flights: this.#flights(caller.namespace), followers: this.#followers }
      const remote = tracedRemote(from.remote(source.reference), this.#tracer)
      const { target } = await fetchImage({ remote, content, ...shared, ...options })
      await pushImage(target, { registry: to, reference: destination.reference, content, ...options })
    }
    await this.#underLease(caller, work, options)
  }

  async #underLease(
    caller: Caller,
    work: (lease: string) => Promise<void>,
    options: AbortOptions,
  ): Promise<void> {
    if (caller.lease !== undefined) await work(caller.lease)
    else await underOwnLease(this.#view(caller).leases, work, options)
  }

  async #wishes(
    caller: Caller,
    { unpacks = [] }: ImageEndpoint,
    { signal }: AbortOptions,
  ): Promise<UnpackWish[]> {
    const { destinations } = this.#options
    return await Promise.all(
      unpacks.map(async ({ platform = defaultPlatform(), snapshotter }) => {
        if (destinations === undefined)
          throw new NsboxError('unimplemented', 'unpacking by a server without snapshotters')
        return { platform, ...(await destinations(caller, snapshotter, { signal })) }
      }),
    )
  }

  async #push(
    caller: Caller,
    source: ImageEndpoint,
    destination: RegistryEndpoint,
    options: Progress,
  ): Promise<void> {
    const { content, images } = this.#view(caller)
    const { target } = await images.get(source.name, options)
    await using registry = this.#registry(caller, destination)
    const { reference } = destination
    await pushImage(target, {
      registry,
      reference,
      content,
      name: source.name,
      platforms: source.platforms,
      ...options,
    })
  }

  #view({ namespace, lease }: Caller): NamespaceView {
    return this.#options.metadata.namespace(namespace, { lease })
  }

  #registry({ isTenant = false }: Caller, endpoint: RegistryEndpoint): Registry {
    const { credentials, headers, hostsDir, defaultScheme, requestLog } = endpoint
    const listeners = { ...logListeners(requestLog), onArrival: this.#counts.arrived }
    if (isTenant) {
      // The settings for registries may have secrets of the host.
      return createRegistry({ credentials, headers, defaultScheme, userIsElsewhere: true, ...listeners })
    }
    return createRegistry({
      credentials,
      headers,
      defaultScheme,
      hostsDir: hostsDir ?? this.#options.hostsDir?.(),
      ...listeners,
    })
  }
}

/** Something to be named by prefixes alone would have no name. */
function requireWholeName(destination: ImageEndpoint): void {
  const { name, references = [] } = destination
  if (name === '' && references.every(({ isPrefix }) => isPrefix))
    throw new NsboxError('invalid_argument', 'name of an image must not be empty, unless it is of an archive')
}

/** The destination says where to unpack. */
function refuseUnpacking({ unpacks = [] }: ImageEndpoint): void {
  if (unpacks.length > 0)
    throw new NsboxError('unimplemented', 'unpacks of an image store that is the source of a transfer')
}

/** Only an archive takes more images than one. */
function refuseReferences({ references = [] }: ImageEndpoint): void {
  if (references.length > 0)
    throw new NsboxError('unimplemented', 'extra_references of the source of a transfer, but to an archive')
}
