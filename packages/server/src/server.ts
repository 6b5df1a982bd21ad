import type { Metadata } from '@nsbox/metadata'

/** A running server. Disposing of it ends what it does and lets go of its data root; that is idempotent. */
export interface Server extends AsyncDisposable {
  /** Path of the socket that it serves on. */
  readonly address: string
  /** Port that it serves on over TCP, if it does. */
  readonly tcpPort?: number | undefined
  /** What it serves, for use within this process. Whoever passes its answers on waits for `durable()` first. */
  readonly metadata: Metadata
  /**
   * Reads the files anew that say who may do what; see the package's README.
   * @throws what is wrong with one of them; nothing has changed then
   */
  reload(): Promise<void>
}

/** What a server runs with. */
export interface ServerConfig {
  /** Directory of content and metadata; made if it does not exist. Only one server at a time can have it. */
  readonly root: string
  /**
   * Directory of sockets and tasks, empty after a start of the host. Tasks go on when the server ends, and the next one
   * with this directory takes them up. By default a private temporary one, which goes at the end with all tasks.
   */
  readonly state?: string | undefined
  /** Path of the socket; `nsbox.sock` in the state directory by default. */
  readonly address?: string | undefined
  /**
   * File that says who may do what over the sockets below (see the package's README), without which there are none. Its
   * namespaces share nothing with others, whatever the policy.
   */
  readonly accessList?: string | undefined
  /** Path of a socket for other users of the host; none by default. */
  readonly tenantsAddress?: string | undefined
  /** `host:port` to serve on over TLS 1.3; nowhere by default. The files are in PEM. */
  readonly tcpAddress?: string | undefined
  readonly tcpCertificate?: string | undefined
  readonly tcpKey?: string | undefined
  /** Authorities of clients' certificates. Without it, clients need tokens. */
  readonly tcpClientCa?: string | undefined
  /**
   * Whether namespaces use each other's blobs (`shared`, the default) or each supplies its own bytes (`isolated`;
   * BEHAVIOUR.md §3).
   */
  readonly sharingPolicy?: 'shared' | 'isolated' | undefined
  /** `full` (the default): no answer before the disk has what it tells of. `relaxed`: for hosts to be thrown away. */
  readonly durability?: 'full' | 'relaxed' | undefined
  /** The OCI runtime program of tasks that name none: a path, or a name to be found; `runc` by default. */
  readonly runtimeBinary?: string | undefined
  /**
   * `on` (the default): what is known of runc's insides is used where it was proved. `off`: runc does all itself. See
   * the README of `@nsbox/runtime-runc`.
   */
  readonly runtimeShortcuts?: 'on' | 'off' | undefined
  /** Directory of `hosts.toml` files for registries, unless a client names another; none by default. */
  readonly hostsDir?: string | undefined
}
