import { type TlsSettings, tlsSettings } from '../http/tls-settings.ts'
import { isLoopback } from './loopback.ts'
import { type HostOptions, type RegistryHost, registryHost, serverName } from './registry-host.ts'

/** Settings for registries that are not configured. */
export interface HostDefaults {
  /** Tells the scheme of a host (with its port, if it has one). */
  scheme(host: string): Promise<'http' | 'https'>
  readonly tls: TlsSettings
}

/**
 * The registry itself, for configurations without a `server`. With TLS settings the scheme is https. On this machine
 * any certificate is accepted unless authorities are configured, since plain http is accepted as well.
 */
export async function defaultHost(
  registry: string,
  defaults: HostDefaults,
  options: HostOptions = {},
): Promise<RegistryHost> {
  const server = serverName(registry)
  const configured = options.tls !== undefined && options.tls.id !== ''
  const url = new URL(`${configured ? 'https' : await defaults.scheme(server)}://${server}`)
  if (configured) return registryHost(url, registry, options)
  const anything = defaults.tls.id === '' && isLoopback(url.hostname)
  const tls = anything ? tlsSettings({ skipVerify: true }) : defaults.tls
  return registryHost(url, registry, { ...options, tls })
}
