import { formatPlatform } from '@nsbox/oci'
import { stringify } from 'smol-toml'
import { settingEntries } from './check-setting.ts'
import { defaultDirectories } from './default-directories.ts'
import type { Configuration } from './read-configuration.ts'
import type { Setting, SettingName } from './setting.ts'
import { rawSteps, stepsOf } from './setting-key.ts'

/** The values that settings have where nothing else is said; others have none. */
export const fixedDefaults = {
  durability: 'full',
  runtimeBinary: 'runc',
  runtimeShortcuts: 'on',
  restartInterval: '10s',
  sharingPolicy: 'shared',
  logLevel: 'info',
  logFormat: 'json',
  webWrite: false,
} as const

/** What a setting without a default may look like. */
const examples = {
  accessList: '/etc/nsbox/access.toml',
  tenantsAddress: '/run/nsbox/tenants.sock',
  tcpAddress: '0.0.0.0:7443',
  tcpCertificate: '/etc/nsbox/server.crt',
  tcpKey: '/etc/nsbox/server.key',
  tcpClientCa: '/etc/nsbox/clients.crt',
  metricsAddress: 'unix:///run/nsbox/metrics.sock',
  hostsDir: '/etc/nsbox/hosts.d',
  runtimeShim: 'io.containerd.runc.v2',
  cgroupPath: 'system.slice/nsbox',
  webAddress: '127.0.0.1:1339',
} as const

/**
 * A configuration file that says nothing yet: each setting with what it is, as a comment, with its default or, where
 * there is none, an example.
 */
export function defaultConfigurationText(): string {
  const { root, state } = defaultDirectories()
  const values: Readonly<Record<SettingName, string | boolean>> = {
    ...examples,
    ...fixedDefaults,
    root,
    state,
    address: `${state}/nsbox.sock`,
  }
  const lines = ['# Configuration of nsbox-server. What is commented out is the default, or an example.']
  for (const [table, entries] of byTable()) {
    lines.push('')
    if (table !== '') lines.push(`[${table}]`)
    for (const { name, step, setting } of entries) {
      lines.push(`# ${setting.description}${setting.values ? ` (${setting.values.join(', ')})` : ''}`)
      lines.push(`# ${step} = ${JSON.stringify(values[name])}`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** A configuration as a file that says all of it. */
export function configurationText(configuration: Configuration): string {
  const document: Record<string, unknown> = {}
  for (const [name, { key }] of settingEntries) {
    const value = configuration[name]
    if (value === undefined) continue
    const steps = stepsOf(key)
    let table = document
    for (const step of steps.slice(0, -1)) {
      table[step] ??= {}
      table = table[step] as Record<string, unknown>
    }
    table[steps.at(-1)!] = name === 'restartInterval' ? `${value}ms` : value
  }
  const { proxyPlugins } = configuration
  if (proxyPlugins.length > 0)
    document.proxy_plugins = Object.fromEntries(
      proxyPlugins.map(({ name, platform, ...plugin }) => [
        name,
        { ...plugin, ...(platform && { platform: formatPlatform(platform) }) },
      ]),
    )
  return `${stringify(document)}\n`
}

interface Entry {
  readonly name: SettingName
  /** The last step of its key. */
  readonly step: string
  readonly setting: Setting
}

/** The settings by the tables that they are in, those in none first. */
function byTable(): ReadonlyMap<string, readonly Entry[]> {
  const tables = new Map<string, Entry[]>([['', []]])
  for (const [name, setting] of settingEntries) {
    const steps = rawSteps(setting.key)
    const table = steps.slice(0, -1).join('.')
    tables.set(table, [...(tables.get(table) ?? []), { name, step: steps.at(-1)!, setting }])
  }
  return tables
}
