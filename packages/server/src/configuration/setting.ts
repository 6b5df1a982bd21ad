/** A setting, with its names in each source. */
export interface Setting {
  /** Dotted key in the configuration file; steps with other characters than TOML's bare keys have are quoted. */
  readonly key: string
  /** Environment variable. */
  readonly variable: string
  /** Command line flag, as commander declares it. */
  readonly flag: string
  readonly description: string
  /** The values allowed; any non-empty text if absent. */
  readonly values?: readonly string[]
  /** Whether it is on or off: `true` or `false` in a file and in the environment, on where its flag is given. */
  readonly isSwitch?: true
}

/**
 * All settings. The configuration file, the environment and the command line are read by this table. Flags win over the
 * environment, that wins over the file, and that over the default.
 */
export const settings = {
  root: {
    key: 'root',
    variable: 'NSBOX_ROOT',
    flag: '--root <dir>',
    description: 'directory of content and metadata',
  },
  state: {
    key: 'state',
    variable: 'NSBOX_STATE',
    flag: '--state <dir>',
    description: 'directory of what lives no longer than the machine is up',
  },
  address: {
    key: 'address',
    variable: 'NSBOX_ADDRESS',
    flag: '-a, --address <socket>',
    description: 'path of the socket to serve on (default: nsbox.sock in the state directory)',
  },
  accessList: {
    key: 'access_list',
    variable: 'NSBOX_ACCESS_LIST',
    flag: '--access-list <file>',
    description: 'who may do what over the socket for tenants and over TCP',
  },
  tenantsAddress: {
    key: 'tenants.address',
    variable: 'NSBOX_TENANTS_ADDRESS',
    flag: '--tenants-address <socket>',
    description: 'path of a socket for users of this host that the access list names (default: none)',
  },
  tcpAddress: {
    key: 'tcp.address',
    variable: 'NSBOX_TCP_ADDRESS',
    flag: '--tcp-address <host:port>',
    description: 'where to serve over TCP, with TLS, those that the access list names (default: nowhere)',
  },
  tcpCertificate: {
    key: 'tcp.certificate',
    variable: 'NSBOX_TCP_CERTIFICATE',
    flag: '--tcp-certificate <file>',
    description: 'certificate of the server, in PEM',
  },
  tcpKey: {
    key: 'tcp.key',
    variable: 'NSBOX_TCP_KEY',
    flag: '--tcp-key <file>',
    description: 'key of that certificate, in PEM',
  },
  tcpClientCa: {
    key: 'tcp.client_ca',
    variable: 'NSBOX_TCP_CLIENT_CA',
    flag: '--tcp-client-ca <file>',
    description: 'authorities that issue certificates of clients, in PEM',
  },
  metricsAddress: {
    key: 'metrics.address',
    variable: 'NSBOX_METRICS_ADDRESS',
    flag: '--metrics-address <host:port>',
    description: 'where to serve metrics: a loopback address, or unix:///path of a socket (default: nowhere)',
  },
  webAddress: {
    key: 'web.address',
    variable: 'NSBOX_WEB_ADDRESS',
    flag: '--web <host:port>',
    description: 'loopback address of a page for browsers, which `ctr web` opens (default: none)',
  },
  webWrite: {
    key: 'web.write',
    variable: 'NSBOX_WEB_WRITE',
    flag: '--web-write',
    description: 'let the page change things: it can do all that root can',
    isSwitch: true,
  },
  durability: {
    key: 'durability',
    variable: 'NSBOX_DURABILITY',
    flag: '--durability <level>',
    description: 'full: no answer before the disk has it; relaxed: for hosts to be thrown away',
    values: ['full', 'relaxed'],
  },
  hostsDir: {
    key: 'hosts_dir',
    variable: 'NSBOX_HOSTS_DIR',
    flag: '--hosts-dir <dir>',
    description: 'directory of hosts.toml files for registries, unless a client names another',
  },
  runtimeBinary: {
    key: 'runtime.binary',
    variable: 'NSBOX_RUNTIME_BINARY',
    flag: '--runtime-binary <program>',
    description: 'OCI runtime of tasks that name none (default: runc)',
  },
  runtimeShim: {
    key: 'runtime.shim',
    variable: 'NSBOX_RUNTIME_SHIM',
    flag: '--runtime-shim <shim>',
    description:
      'shim that runs tasks of runc, by its path or a runtime’s name (default: the server’s supervisor)',
  },
  runtimeShortcuts: {
    key: 'runtime.shortcuts',
    variable: 'NSBOX_RUNTIME_SHORTCUTS',
    flag: '--runtime-shortcuts <use>',
    description: 'on: what is known of runc’s insides is used where it was proved; off: runc does all itself',
    values: ['on', 'off'],
  },
  restartInterval: {
    key: 'plugins."io.containerd.internal.v1.restart".interval',
    variable: 'NSBOX_RESTART_INTERVAL',
    flag: '--restart-interval <duration>',
    description: 'how often containers are looked at whose tasks are to be started again (default: 10s)',
  },
  cgroupPath: {
    key: 'cgroup.path',
    variable: 'NSBOX_CGROUP_PATH',
    flag: '--cgroup-path <cgroup>',
    description:
      'cgroup that the server moves itself into, made where it is missing (default: where it was started)',
  },
  sharingPolicy: {
    key: 'content.sharing_policy',
    variable: 'NSBOX_CONTENT_SHARING_POLICY',
    flag: '--content-sharing-policy <policy>',
    description: 'shared: namespaces use each other’s blobs; isolated: each supplies its own bytes',
    values: ['shared', 'isolated'],
  },
  logLevel: {
    key: 'log.level',
    variable: 'NSBOX_LOG_LEVEL',
    flag: '-l, --log-level <level>',
    description: 'trace, debug, info, warn, error, fatal',
    values: ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
  },
  logFormat: {
    key: 'log.format',
    variable: 'NSBOX_LOG_FORMAT',
    flag: '--log-format <format>',
    description: 'json or text',
    values: ['json', 'text'],
  },
} as const satisfies Readonly<Record<string, Setting>>

export type SettingName = keyof typeof settings

/** Given settings, by name; checked against `values`. */
export type Settings = { readonly [N in SettingName]?: SettingValue<N> }

type SettingValue<N extends SettingName> = (typeof settings)[N] extends { values: readonly (infer V)[] }
  ? V
  : (typeof settings)[N] extends { isSwitch: true }
    ? boolean
    : string
