import type { HeaderFields } from '../http/header-fields.ts'
import { type TlsSettings, tlsSettings } from '../http/tls-settings.ts'

/** What a host is good for: giving content by digest, telling what a tag points to, taking content in. */
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
  /** What credentials for it are known by: the registry's name in references, or a mirror's host and port. */
  readonly credentialHost: string
  /**
   * The registry's name, if requests must say which one they are for, as those to mirrors do
   * (docs/threat-model.md C03).
   */
  readonly proxyOf?: string | undefined
}

const everyCapability: ReadonlySet<Capability> = new Set(['pull', 'resolve', 'push'])

/** What configuration may say of a host; by default it can do everything at `/v2`. */
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

/** Where a registry is that has another name in references than in the network. */
export function serverName(registry: string): string {
  return registry === 'docker.io' ? 'registry-1.docker.io' : registry
}

/** The address of something on a host; path segments must be free of what a URL gives a meaning to. */
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
