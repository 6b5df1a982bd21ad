/** One thing that can be configured, and the names it goes by. */
export interface Setting {
  /** Dotted key in the configuration file. */
  readonly key: string
  /** Environment variable. */
  readonly variable: string
  /** Command line flag, as commander declares it. */
  readonly flag: string
  readonly description: string
  /** The values allowed; any non-empty text if absent. */
  readonly values?: readonly string[]
}

/**
 * Everything that can be configured, and nothing else: the configuration file, the environment and the command line
 * are read by this table. Flags win over the environment, that wins over the file, and that over the default.
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

/** Settings that were given somewhere, by name; checked against `values`. */
export type Settings = { readonly [N in SettingName]?: SettingValue<N> }

type SettingValue<N extends SettingName> = (typeof settings)[N] extends { values: readonly (infer V)[] }
  ? V
  : string
