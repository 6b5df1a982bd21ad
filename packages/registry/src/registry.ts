import type { CredentialSource } from '@nsbox/core/transfer'
import { parseReference } from '@nsbox/oci'
import { Authorizer } from './auth/authorizer.ts'
import { Hosts } from './hosts/hosts.ts'
import { type ConnectionListeners, Connections } from './http/connections.ts'
import type { Exchange } from './http/exchange.ts'
import { headerFields } from './http/header-fields.ts'
import { HostPlaces } from './http/host-places.ts'
import { tlsSettings } from './http/tls-settings.ts'
import { defaultLimits, type RegistryLimits } from './limits.ts'
import { RegistryClient } from './repository/registry-client.ts'
import { type RegistryRemote, RemoteRepository } from './repository/remote-repository.ts'

export interface RegistryOptions extends ConnectionListeners {
  /** Source of credentials, called when a host asks for some; anonymous without it. */
  readonly credentials?: CredentialSource | undefined
  /** Directory of `hosts.toml` files, one directory for each registry; none by default. */
  readonly hostsDir?: string | undefined
  /**
   * Scheme for registries that are not configured; `http` is plain http on request. By default `https`, and for
   * registries on loopback addresses whichever they speak.
   */
  readonly defaultScheme?: 'http' | 'https' | undefined
  /** TLS settings for registries that are not configured; not for mirrors. */
  readonly tls?: RegistryTls | undefined
  /** Sent with every request to registries and mirrors; `authorization` only to registries themselves. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly limits?: Partial<RegistryLimits> | undefined
  /**
   * Whether the user is on another machine, and so must not reach registries on this one, link-local addresses, and
   * those at which clouds serve a machine's secrets. Addresses count, not names. A proxy has to enforce this itself.
   * False by default.
   */
  readonly userIsElsewhere?: boolean | undefined
}

/** In the terms of `node:tls`; PEM. */
export interface RegistryTls {
  /** Authorities, trusted besides the usual ones. */
  readonly ca?: string | undefined
  /** Client certificate. */
  readonly cert?: string | undefined
  /** Key of the client certificate; may be in `cert`. */
  readonly key?: string | undefined
  /** False to take any certificate; true by default. */
  readonly rejectUnauthorized?: boolean | undefined
}

/** A client of any number of registries, with its connections, credentials and tokens. */
export interface Registry extends AsyncDisposable {
  /**
   * A repository, bound to a tag or digest in it. A push moves the tag with each manifest, or if the reference has a
   * digest as well, only with the manifest of that digest: name it to push an index under a tag.
   *
   * @param reference complete, such as `docker.io/library/redis:latest`
   * @throws `invalid_argument` for a malformed reference
   */
  remote(reference: string): RegistryRemote
}

/**
 * Makes a client of registries that speak the OCI distribution protocol. Disposing of it ends all that is under way.
 *
 * @throws `invalid_argument` for a header that cannot be sent
 */
export function createRegistry(options: RegistryOptions = {}): Registry {
  const limits = { ...defaultLimits, ...options.limits }
  const headers = { 'user-agent': 'nsbox', ...headerFields(Object.entries(options.headers ?? {}), 'headers') }
  const { userIsElsewhere } = options
  const places = new HostPlaces({ userIsElsewhere })
  const connections = new Connections(limits, options, places)
  const send = (exchange: Exchange) => connections.send(exchange)
  const authorizer = new Authorizer(send, {
    credentials: options.credentials,
    limits,
    userAgent: headers['user-agent'],
    secrets: connections.secrets,
  })
  const client = new RegistryClient(send, authorizer, { limits, headers, onArrival: options.onArrival })
  const { ca, cert, key, rejectUnauthorized = true } = options.tls ?? {}
  const hosts = new Hosts({
    hostsDir: options.hostsDir,
    // Such a user's registries on this machine are not even probed for their scheme.
    defaultScheme: options.defaultScheme ?? (userIsElsewhere ? 'https' : undefined),
    tls: tlsSettings({
      ca: ca === undefined ? [] : [ca],
      client: cert === undefined ? [] : [{ cert, key }],
      skipVerify: !rejectUnauthorized,
    }),
  })
  return {
    remote: (reference) => new RemoteRepository(client, hosts, parseReference(reference)),
    [Symbol.asyncDispose]: () => connections[Symbol.asyncDispose](),
  }
}
