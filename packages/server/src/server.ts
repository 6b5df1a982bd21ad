import type { AbortOptions, Durability } from '@nsbox/core/content'
import type { Metadata } from '@nsbox/metadata'
import type { ProxyPlugin } from './configuration/proxy-plugin.ts'
import type { Exposition } from './metrics/exposition.ts'

/** A running server. Disposing of it stops the server and releases its data root; idempotent. */
export interface Server extends AsyncDisposable {
  /** Path of the socket that it serves on. */
  readonly address: string
  /** TCP port that it serves on, if any. */
  readonly tcpPort?: number | undefined
  /** Where it serves metrics, if it does: `http://127.0.0.1:1338/metrics` or `unix:///…`. */
  readonly metricsAddress?: string | undefined
  /** Address of the page for browsers, such as `http://127.0.0.1:8080/`, if it is served. */
  readonly webAddress?: string | undefined
  /** The metadata store, for use within this process. Wait for `durable()` before passing its answers on. */
  readonly metadata: Metadata
  /**
   * Reads the access list and TLS files again; see the package's README.
   * @param config what else is to be as it says from now on; the files of `hostsDir` are read by each pull anyway
   * @throws the error of a file; nothing has changed then
   */
  reload(config?: Pick<ServerConfig, 'hostsDir'>): Promise<void>
  /** Its metrics in the text format of Prometheus (docs/metrics.md), wherever else they are served. */
  metrics(): Promise<Exposition>
  /** Resolves once no client is connected to its socket. @throws the signal's reason */
  unused(options?: AbortOptions): Promise<void>
}

/** The configuration of a server. */
export interface ServerConfig {
  /** Directory of content and metadata; made if it does not exist. Only one server at a time can have it. */
  readonly root: string
  /**
   * Directory of sockets and tasks, empty after a start of the host. Tasks go on when the server ends, and the next one
   * with this directory takes them over. By default a private temporary one, which is removed at the end with all
   * tasks.
   */
  readonly state?: string | undefined
  /** Path of the socket; `nsbox.sock` in the state directory by default. */
  readonly address?: string | undefined
  /** A socket at `address` that listens already, as of a service manager; the server makes its own by default. */
  readonly socket?: number | undefined
  /**
   * The access list for the sockets below (see the package's README), which need it. Its namespaces share nothing with
   * others, whatever the policy.
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
   * docs/behaviour.md §3).
   */
  readonly sharingPolicy?: 'shared' | 'isolated' | undefined
  /**
   * `full` (the default): no answer before the data it depends on is on disk. `relaxed`: no syncs, for disposable
   * hosts.
   */
  readonly durability?: Durability | undefined
  /** The OCI runtime program of tasks that name none: a path, or a name in `PATH`; `runc` by default. */
  readonly runtimeBinary?: string | undefined
  /**
   * The shim that runs tasks of runc's names, instead of the server's own supervisor: an absolute path, or a runtime's
   * name that stands for one, such as `io.containerd.runc.v2`. By default none. Refused with `runtimeBinary`.
   */
  readonly runtimeShim?: string | undefined
  /**
   * `on` (the default): knowledge of runc's insides is used with a runc that has passed a probe. `off`: runc does all
   * its work itself. See the README of `@nsbox/runtime-runc`.
   */
  readonly runtimeShortcuts?: 'on' | 'off' | undefined
  /**
   * Milliseconds between two looks at the containers whose tasks are to be started again (docs/behaviour.md §7); ten
   * seconds by default.
   */
  readonly restartInterval?: number | undefined
  /** Directory of `hosts.toml` files for registries, unless a client names another; none by default. */
  readonly hostsDir?: string | undefined
  /**
   * Where to serve metrics over HTTP: `host:port` with a loopback address, which all users of the host can read, or
   * `unix:///path` of a socket for the server's own user. By default nowhere.
   */
  readonly metricsAddress?: string | undefined
  /**
   * `host:port` of a loopback address on which a page for browsers is served to those who have a link of `ctr web`;
   * port 0 is any free one. By default nowhere.
   */
  readonly webAddress?: string | undefined
  /** Whether the page may change things, which makes it as powerful as the socket; false by default. */
  readonly webWrite?: boolean | undefined
  /** Snapshotters of other processes; see the package's README. None by default. */
  readonly proxyPlugins?: readonly ProxyPlugin[] | undefined
}
