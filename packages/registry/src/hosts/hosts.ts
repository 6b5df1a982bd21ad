import { join } from 'node:path'
import type { AbortOptions } from '@nsbox/core/content'
import { defaultHost } from './default-host.ts'
import { readHostsDirectory } from './hosts-directory.ts'
import { isLoopback } from './loopback.ts'
import { loopbackScheme } from './loopback-scheme.ts'
import type { RegistryHost } from './registry-host.ts'

export interface HostsOptions {
  readonly hostsDir?: string | undefined
  readonly defaultScheme?: 'http' | 'https' | undefined
}

/** Finds the hosts that serve a registry. */
export class Hosts {
  readonly #options: HostsOptions
  /** What servers on this machine speak, by host; elsewhere it is never found out by trying. */
  readonly #loopbackSchemes = new Map<string, 'http' | 'https'>()

  constructor(options: HostsOptions) {
    this.#options = options
  }

  /**
   * The hosts in the order in which to try them, the registry itself last. Configuration is read anew each time, so that
   * changes count at once.
   *
   * @param registry host and port as in references
   * @throws `invalid_argument` for configuration that makes no sense; `permission_denied`
   */
  async of(registry: string, { signal }: AbortOptions = {}): Promise<RegistryHost[]> {
    signal?.throwIfAborted()
    const scheme = (host: string) => this.#scheme(host, signal)
    const { hostsDir } = this.#options
    const configured =
      hostsDir === undefined ? undefined : await this.#fromDirectory(hostsDir, registry, signal)
    return configured ?? [await defaultHost(registry, scheme)]
  }

  /** BEHAVIOUR.md §12: the first directory that exists counts, whatever is in it. */
  async #fromDirectory(
    hostsDir: string,
    registry: string,
    signal: AbortSignal | undefined,
  ): Promise<RegistryHost[] | undefined> {
    const names = new Set([registry.replace(/:([0-9]+)$/, '_$1_'), registry, '_default'])
    for (const name of names) {
      const hosts = await readHostsDirectory(
        join(hostsDir, name),
        registry,
        (host) => this.#scheme(host, signal),
        { signal },
      )
      if (hosts) return hosts
    }
    return undefined
  }

  /** @param host with its port, if it has one */
  async #scheme(host: string, signal: AbortSignal | undefined): Promise<'http' | 'https'> {
    const { defaultScheme } = this.#options
    const { hostname, port } = new URL(`https://${host}`)
    if (defaultScheme === 'http' || !isLoopback(hostname)) return defaultScheme ?? 'https'
    if (defaultScheme === 'https') return 'https'
    const known = this.#loopbackSchemes.get(host)
    if (known) return known
    const found = await loopbackScheme(hostname, Number(port || 443), { signal })
    if (found) this.#loopbackSchemes.set(host, found)
    return found ?? 'http'
  }
}
