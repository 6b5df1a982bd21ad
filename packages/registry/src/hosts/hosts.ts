import { join } from 'node:path'
import type { AbortOptions } from '@nsbox/core/content'
import { type TlsSettings, tlsSettings } from '../http/tls-settings.ts'
import { defaultHost, type HostDefaults } from './default-host.ts'
import { readHostsDirectory } from './hosts-directory.ts'
import { isLoopback } from './loopback.ts'
import { loopbackScheme } from './loopback-scheme.ts'
import type { RegistryHost } from './registry-host.ts'

export interface HostsOptions {
  readonly hostsDir?: string | undefined
  readonly defaultScheme?: 'http' | 'https' | undefined
  readonly tls?: TlsSettings | undefined
}

/** Milliseconds for which the scheme of a server on this machine is remembered. */
const schemeLifetime = 10_000

/** Finds the hosts that serve a registry. */
export class Hosts {
  readonly #options: HostsOptions
  /** Schemes of servers on this machine, by host. For other hosts it is never found out by trying. */
  readonly #loopbackSchemes = new Map<string, { scheme: 'http' | 'https'; until: number }>()

  constructor(options: HostsOptions) {
    this.#options = options
  }

  /**
   * The hosts in the order in which to try them, the registry itself last. Configuration is read anew each time, from
   * the first directory of docs/behaviour.md §12 that exists.
   *
   * @param registry host and port as in references
   * @throws `invalid_argument` for malformed configuration; `permission_denied`; `failed_precondition` for a file that
   * is missing
   */
  async of(registry: string, { signal }: AbortOptions = {}): Promise<RegistryHost[]> {
    signal?.throwIfAborted()
    const defaults: HostDefaults = {
      scheme: (host) => this.#scheme(host, signal),
      tls: this.#options.tls ?? tlsSettings(),
    }
    const { hostsDir } = this.#options
    const names = hostsDir === undefined ? [] : [registry.replace(/:([0-9]+)$/, '_$1_'), registry, '_default']
    for (const name of new Set(names)) {
      const hosts = await readHostsDirectory(join(hostsDir!, name), registry, defaults, { signal })
      if (hosts) return hosts
    }
    return [await defaultHost(registry, defaults)]
  }

  async #scheme(host: string, signal: AbortSignal | undefined): Promise<'http' | 'https'> {
    const { defaultScheme, tls } = this.#options
    if (defaultScheme) return defaultScheme
    const { hostname, port } = new URL(`https://${host}`)
    if (tls?.id || !isLoopback(hostname)) return 'https'
    const known = this.#loopbackSchemes.get(host)
    if (known && performance.now() < known.until) return known.scheme
    const found = await loopbackScheme(hostname, Number(port || 443), { signal })
    if (found) this.#loopbackSchemes.set(host, { scheme: found, until: performance.now() + schemeLifetime })
    // Nothing listens there; on the port of plain http something may.
    return found ?? 'http'
  }
}
