import type { AbortOptions } from '@nsbox/core/content'
import type { Remote } from '@nsbox/core/transfer'
import { isNotFound, NsboxError } from '@nsbox/errors'
import {
  assertDescriptor,
  assertDigest,
  type Descriptor,
  type Digest,
  formatReference,
  isConfig,
  isIndex,
  isLayer,
  isManifest,
  type Reference,
} from '@nsbox/oci'
import type { Hosts } from '../hosts/hosts.ts'
import type { Capability, RegistryHost } from '../hosts/registry-host.ts'
import { fetchAt } from './fetch-blob.ts'
import { listReferrersAt } from './list-referrers.ts'
import { type PushOutcome, pushTo } from './push.ts'
import type { RegistryClient } from './registry-client.ts'
import { type ContentKind, resolveAt } from './resolve.ts'
import { hostsError, tryHosts } from './try-hosts.ts'

/** A repository of a registry, bound to one reference. */
export interface RegistryRemote extends Remote {
  /**
   * The manifests in the repository that say that a manifest is their subject, such as signatures of an image; none if
   * there are none, or no such manifest. Nobody proves what a list says.
   *
   * @param options.artifactType only referrers of this type
   * @throws as `resolve`; `resource_exhausted` for too long a list
   */
  referrers(
    subject: Digest,
    options?: { readonly artifactType?: string | undefined } & AbortOptions,
  ): Promise<readonly Descriptor[]>
}

/** One repository of a registry, over all the hosts that serve it. */
export class RemoteRepository implements RegistryRemote {
  readonly reference: string
  readonly #parsed: Reference
  readonly #client: RegistryClient
  readonly #hosts: Hosts

  constructor(client: RegistryClient, hosts: Hosts, reference: Reference) {
    this.reference = formatReference(reference)
    this.#parsed = reference
    this.#client = client
    this.#hosts = hosts
  }

  /** Only hosts with the capability `resolve` tell what a tag points to (docs/threat-model.md C02). */
  async resolve({ signal }: AbortOptions = {}): Promise<Descriptor> {
    const { digest } = this.#parsed
    const hosts = await this.#capable(digest === undefined ? ['pull', 'resolve'] : ['pull'], signal)
    const attempt = (host: RegistryHost) => resolveAt(this.#client, host, this.#parsed, { signal })
    return tryHosts(hosts, `resolving ${this.reference}`, attempt, { signal })
  }

  async *fetch(
    descriptor: Descriptor,
    { offset = 0, signal }: { readonly offset?: number } & AbortOptions = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    assertDescriptor(descriptor)
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > descriptor.size)
      throw new NsboxError(
        'out_of_range',
        `${descriptor.digest}: offset ${offset} of ${descriptor.size} bytes`,
      )
    const hosts = await this.#capable(['pull'], signal)
    const progress = { position: offset }
    const errors: unknown[] = []
    for (const kind of kindsOf(descriptor)) {
      if (!errors.every(isNotFound)) break
      for (const host of hosts) {
        try {
          yield* fetchAt(this.#client, host, { reference: this.#parsed, descriptor, kind, signal }, progress)
          return
        } catch (error) {
          signal?.throwIfAborted()
          errors.push(error)
        }
      }
    }
    throw hostsError(`fetching ${descriptor.digest} of ${this.reference}`, errors)
  }

  /** Stores at the first host that accepts pushes; see `pushTo` for tags. */
  async push(
    descriptor: Descriptor,
    read: () => AsyncIterable<Uint8Array>,
    { mountFrom = [], signal }: { readonly mountFrom?: readonly string[] } & AbortOptions = {},
  ): Promise<PushOutcome> {
    assertDescriptor(descriptor)
    const [host] = await this.#capable(['push'], signal)
    if (!host) throw hostsError(`pushing to ${this.reference}`, [])
    return pushTo(this.#client, host, { reference: this.#parsed, descriptor, read, mountFrom, signal })
  }

  /** As with tags, only hosts with the capability `resolve` tell what there is (docs/threat-model.md C02). */
  async referrers(
    subject: Digest,
    { artifactType, signal }: { readonly artifactType?: string | undefined } & AbortOptions = {},
  ): Promise<readonly Descriptor[]> {
    assertDigest(subject)
    const hosts = await this.#capable(['pull', 'resolve'], signal)
    const request = { reference: this.#parsed, subject, artifactType, signal }
    const attempt = (host: RegistryHost) => listReferrersAt(this.#client, host, request)
    return tryHosts(hosts, `listing referrers of ${subject} in ${this.reference}`, attempt, { signal })
  }

  async #capable(wanted: readonly Capability[], signal: AbortSignal | undefined): Promise<RegistryHost[]> {
    const hosts = await this.#hosts.of(this.#parsed.host, { signal })
    return hosts.filter(({ capabilities }) => wanted.every((capability) => capabilities.has(capability)))
  }
}

/** The collections to look for content of a type: for an unknown type, both. */
function kindsOf({ mediaType }: Descriptor): ContentKind[] {
  if (isManifest(mediaType) || isIndex(mediaType)) return ['manifests']
  return isLayer(mediaType) || isConfig(mediaType) ? ['blobs'] : ['blobs', 'manifests']
}
