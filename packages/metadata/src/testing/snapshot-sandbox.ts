import { join } from 'node:path'
import { type LocalContentStore, openContentStore } from '@nsbox/content'
import type { Applier, DiffMount } from '@nsbox/core/diff'
import type { DomainEvent } from '@nsbox/core/events'
import type { LayerDirectories, Snapshotter } from '@nsbox/core/snapshots'
import { applyLayer, layerTarget } from '@nsbox/diff'
import { isAlreadyExists, isNotFound } from '@nsbox/errors'
import { withTempMount } from '@nsbox/mount'
import { type Descriptor, type Digest, digestOf, mediaTypes, nextChainId } from '@nsbox/oci'
import { type LocalSnapshotter, type OpenSnapshotterOptions, openOverlaySnapshotter } from '@nsbox/snapshots'
import { type RawHeader, rawEntry, rawTar, readTree, scratchMount } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { type Metadata, type MetadataOptions, type NamespaceView, openMetadata } from '../open-metadata.ts'

/** A layer whose blob can be stored; not compressed, so that its digest is its diff id. */
export interface TestLayer {
  readonly bytes: Uint8Array
  readonly descriptor: Descriptor
  readonly diffId: Digest
}

export function testLayer(...entries: readonly RawHeader[]): TestLayer {
  const bytes = rawTar(...entries.map(rawEntry))
  const digest = digestOf(bytes)
  return {
    bytes,
    diffId: digest,
    descriptor: { mediaType: mediaTypes.ociLayer, digest, size: bytes.length },
  }
}

/** A namespace of a sandbox, with a lease of its own without an expiry. */
export interface Tenant {
  readonly view: NamespaceView
  readonly snapshotter: Snapshotter & LayerDirectories
  readonly applier: Applier
}

export interface SandboxOptions extends Partial<Omit<MetadataOptions, 'path'>> {
  readonly overlay?: Partial<OpenSnapshotterOptions> | undefined
}

/**
 * A metadata store over a content store and an overlay snapshotter named `overlayfs`, in a file system of its own. The
 * collector only runs when it is asked to.
 */
export class SnapshotSandbox implements AsyncDisposable {
  readonly path: string
  readonly content: LocalContentStore
  readonly overlayfs: LocalSnapshotter
  readonly events: [string, DomainEvent][] = []
  readonly #options: SandboxOptions
  readonly #stack: AsyncDisposableStack
  #metadata: Metadata | undefined

  private constructor(
    path: string,
    parts: Pick<SnapshotSandbox, 'content' | 'overlayfs'>,
    options: SandboxOptions,
    stack: AsyncDisposableStack,
  ) {
    this.path = path
    this.content = parts.content
    this.overlayfs = parts.overlayfs
    this.#options = options
    this.#stack = stack
  }

  static async open(options: SandboxOptions = {}): Promise<SnapshotSandbox> {
    await using stack = new AsyncDisposableStack()
    const { path } = stack.use(await scratchMount())
    const durability = 'relaxed'
    const content = stack.use(await openContentStore({ root: join(path, 'content'), durability }))
    const root = join(path, 'overlayfs')
    const overlayfs = stack.use(await openOverlaySnapshotter({ root, durability, ...options.overlay }))
    const sandbox = new SnapshotSandbox(path, { content, overlayfs }, options, stack.move())
    await sandbox.reopen()
    return sandbox
  }

  get metadata(): Metadata {
    if (this.#metadata === undefined) throw new Error('closed')
    return this.#metadata
  }

  /** Closes the metadata store and opens it again, as another process would. */
  async reopen(options: Partial<MetadataOptions> = {}): Promise<void> {
    await this.#metadata?.[Symbol.asyncDispose]()
    this.#metadata = undefined
    this.#metadata = await openMetadata({
      content: this.content,
      snapshotters: new Map([['overlayfs', this.overlayfs]]),
      durability: 'relaxed',
      collector: { startupDelay: 3_600_000, scheduleDelay: 3_600_000, mutationThreshold: 1_000_000 },
      onEvent: (namespace, event) => this.events.push([namespace, event]),
      ...this.#options,
      ...options,
      path: join(this.path, 'metadata.db'),
    })
  }

  /** @param lease `lease` by default, made if it does not exist; none if null */
  async tenant(namespace: string, lease: string | null = 'lease'): Promise<Tenant> {
    const { leases } = this.metadata.namespace(namespace)
    if (lease !== null) {
      await leases.create({ id: lease }).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error
      })
    }
    const view = this.metadata.namespace(namespace, { lease: lease ?? undefined })
    const snapshotter = view.snapshotter('overlayfs') as Snapshotter & LayerDirectories
    return { view, snapshotter, applier: view.applier(this.#applier()) }
  }

  /** Stores a layer's blob, unless the namespace has it. */
  async store({ view }: Tenant, { bytes, descriptor: { digest } }: TestLayer): Promise<void> {
    try {
      await using writer = await view.content.writer({ ref: digest, expected: digest })
      if (writer.status().offset === 0) await writer.write(bytes)
      await writer.commit()
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }

  /**
   * Unpacks layers as stock clients do: asks for each first, and makes it on top of the one below if it is missing.
   * @returns the chain ids, the lowest first
   */
  async unpack(tenant: Tenant, ...layers: readonly TestLayer[]): Promise<Digest[]> {
    const chain: Digest[] = []
    for (const layer of layers) {
      const parent = chain.at(-1)
      const chainId = nextChainId(parent, layer.diffId)
      chain.push(chainId)
      const { snapshotter, applier } = tenant
      if (await exists(snapshotter, chainId)) continue
      await this.store(tenant, layer)
      const key = `extract ${chainId}`
      await applier.apply(layer.descriptor, await snapshotter.prepare(key, parent))
      await snapshotter.commit(chainId, key)
    }
    return chain
  }

  /** The visible content of a committed snapshot: names, types, modes and contents, as in `readTree`. */
  async tree({ snapshotter }: Tenant, name: string): Promise<ReadonlyMap<string, unknown>> {
    const mounts = await snapshotter.view('look', name)
    try {
      return await withTempMount(mounts, (path) => readTree(path))
    } finally {
      await snapshotter.remove('look')
      // At once, so that snapshots under removal are not counted.
      await snapshotter.cleanup()
    }
  }

  /** The keys of all snapshots in the overlay snapshotter. */
  async backings(): Promise<string[]> {
    return await namesOf(this.overlayfs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#metadata?.[Symbol.asyncDispose]()
    await this.#stack.disposeAsync()
  }

  #applier(): Applier {
    return {
      apply: async (layer, mounts: readonly DiffMount[], { diffId, signal } = {}) =>
        await applyLayer(
          {
            ...layerTarget(mounts),
            layer: { path: await this.content.blobPath(layer.digest), size: layer.size },
            mediaType: layer.mediaType,
            diffId,
          },
          { ...(signal && { signal }) },
        ),
    }
  }
}

export async function exists(snapshotter: Snapshotter, name: string): Promise<boolean> {
  try {
    await snapshotter.stat(name)
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

export async function namesOf(snapshotter: Snapshotter): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of snapshotter.list()) names.push(name)
  return names
}

/** The events of snapshots that were published so far. */
export const snapshotEvents = ({ events }: SnapshotSandbox) =>
  events.filter(([, { topic }]) => topic.startsWith('/snapshot/'))
