import type { HeaderFields } from '../http/header-fields.ts'
import { type TlsSettings, tlsSettings } from '../http/tls-settings.ts'

/** Capabilities of a host: `pull` content by digest, `resolve` tags, `push` content. */
export type Capability = 'pull' | 'resolve' | 'push'

/** A server that has, or mirrors, the repositories of a registry. */
export interface RegistryHost {
  /** Scheme, host and port. */
  readonly origin: string
  /** Where the API starts, usually `/v2`; without a slash at its end. */
  readonly path: string
  readonly capabilities: ReadonlySet<Capability>
  /** Sent with every request to it. */
  readonly headers: HeaderFields
  readonly tls: TlsSettings
  /** Milliseconds to open a connection. */
  readonly dialTimeout?: number | undefined
  /** The key of its credentials: the registry's name in references, or a mirror's host and port. */
  readonly credentialHost: string
  /** The registry's name, if requests must name it, as those to mirrors do (docs/threat-model.md C03). */
  readonly proxyOf?: string | undefined
}

const everyCapability: ReadonlySet<Capability> = new Set(['pull', 'resolve', 'push'])

/** Configuration of a host; by default it has all capabilities, at `/v2`. */
export type HostOptions = Partial<
  Pick<RegistryHost, 'path' | 'capabilities' | 'headers' | 'tls' | 'dialTimeout'>
>

/**
 * @param url where the host is
 * @param registry the registry's name in references, such as `docker.io`
 */
export function registryHost(url: URL, registry: string, options: HostOptions = {}): RegistryHost {
  const isItself = sameHost(url, registry) || sameHost(url, serverName(registry))
  return {
    path: '/v2',
    capabilities: everyCapability,
    headers: {},
    tls: tlsSettings(),
    ...options,
    origin: url.origin,
    credentialHost: isItself ? registry : url.host,
    ...(!isItself && { proxyOf: registry }),
  }
}

/** The network names of registries that have another name in references. */
export function serverName(registry: string): string {
  return registry === 'docker.io' ? 'registry-1.docker.io' : registry
}

/** A URL on a host; path segments must not have characters with a meaning in URLs. */
export function hostUrl(
  { origin, path, proxyOf }: RegistryHost,
  segments: readonly string[],
  query: Readonly<Record<string, string>> = {},
): URL {
  const url = new URL(`${origin}${path}/${segments.join('/')}`)
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value)
  if (proxyOf !== undefined) url.searchParams.set('ns', proxyOf)
  return url
}

const sameHost = (url: URL, registry: string) =>
  URL.canParse(`${url.protocol}//${registry}`) && new URL(`${url.protocol}//${registry}`).host === url.host
