import { tlsSettings } from '../http/tls-settings.ts'
import { isLoopback } from './loopback.ts'
import { type HostOptions, type RegistryHost, registryHost, serverName } from './registry-host.ts'

/**
 * The registry itself, where configuration names no other server for it. On this machine any certificate will do, since
 * plain http would as well, unless `options` say what to trust.
 *
 * @param scheme tells the scheme of a host (with its port) about which nothing is known
 */
export async function defaultHost(
  registry: string,
  scheme: (host: string) => Promise<'http' | 'https'>,
  options: HostOptions = {},
): Promise<RegistryHost> {
  const server = serverName(registry)
  const configured = options.tls !== undefined && options.tls.id !== ''
  const url = new URL(`${configured ? 'https' : await scheme(server)}://${server}`)
  if (configured || !isLoopback(url.hostname)) return registryHost(url, registry, options)
  return registryHost(url, registry, { ...options, tls: tlsSettings({ skipVerify: true }) })
}
