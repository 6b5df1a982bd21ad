import { resolve } from 'node:path'
import { isNotFound } from '@nsbox/errors'
import { checkSettings, settingEntries } from './check-setting.ts'
import { type FileSettings, readConfigurationFile } from './configuration-file.ts'
import { type DefaultDirectories, defaultDirectories } from './default-directories.ts'
import { parseDuration } from './duration.ts'
import type { ProxyPlugin } from './proxy-plugin.ts'
import type { SettingName, Settings } from './setting.ts'

/** What a server program runs with, complete. Paths are absolute. */
export interface Configuration {
  readonly root: string
  readonly state: string
  readonly address: string
  readonly accessList: string | undefined
  readonly tenantsAddress: string | undefined
  /** Host and port. */
  readonly tcpAddress: string | undefined
  readonly tcpCertificate: string | undefined
  readonly tcpKey: string | undefined
  readonly tcpClientCa: string | undefined
  readonly metricsAddress: string | undefined
  /** Host and port. */
  readonly webAddress: string | undefined
  readonly webWrite: boolean
  readonly durability: 'full' | 'relaxed'
  readonly hostsDir: string | undefined
  readonly runtimeBinary: string | undefined
  readonly runtimeShim: string | undefined
  readonly runtimeShortcuts: 'on' | 'off'
  /** Milliseconds. */
  readonly restartInterval: number | undefined
  readonly cgroupPath: string | undefined
  readonly sharingPolicy: 'shared' | 'isolated'
  /** Only a configuration file has them. */
  readonly proxyPlugins: readonly ProxyPlugin[]
  readonly logLevel: NonNullable<Settings['logLevel']>
  readonly logFormat: 'json' | 'text'
}

/** Where a configuration comes from. */
export interface ConfigurationSources {
  /** Values of command line flags, by name. */
  readonly flags?: Readonly<Partial<Record<SettingName, string | boolean>>>
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The configuration file; `NSBOX_CONFIG` or the default one if absent. Only the default one may be missing. */
  readonly file?: string | undefined
}

/**
 * Reads the configuration of a server: flags win over the environment, that over the file, that over defaults.
 *
 * @throws `invalid_argument` for an unknown key or value, naming it and its source; `not_found` if a file was asked for
 * and is missing
 */
export async function readConfiguration({
  flags = {},
  env = process.env,
  file,
}: ConfigurationSources = {}): Promise<Configuration> {
  const defaults = defaultDirectories({ env })
  const { settings: fromFile, proxyPlugins } = await fileSettings(file ?? env.NSBOX_CONFIG, defaults)
  const settings: Settings = {
    ...fromFile,
    ...checkSettings(environmentValues(env), ({ variable }) => variable),
    ...checkSettings(flags, ({ flag }) => flag.replace(/^.*(--[a-z-]+).*$/, '$1')),
  }
  const state = resolve(settings.state ?? defaults.state)
  return {
    root: resolve(settings.root ?? defaults.root),
    state,
    address: resolve(settings.address ?? `${state}/nsbox.sock`),
    accessList: absolute(settings.accessList),
    tenantsAddress: absolute(settings.tenantsAddress),
    tcpAddress: settings.tcpAddress,
    tcpCertificate: absolute(settings.tcpCertificate),
    tcpKey: absolute(settings.tcpKey),
    tcpClientCa: absolute(settings.tcpClientCa),
    metricsAddress: settings.metricsAddress,
    webAddress: settings.webAddress,
    webWrite: settings.webWrite ?? false,
    durability: settings.durability ?? 'full',
    hostsDir: absolute(settings.hostsDir),
    runtimeBinary: settings.runtimeBinary,
    runtimeShim: settings.runtimeShim,
    runtimeShortcuts: settings.runtimeShortcuts ?? 'on',
    restartInterval:
      settings.restartInterval === undefined
        ? undefined
        : parseDuration(settings.restartInterval, 'the interval of restarts'),
    cgroupPath: settings.cgroupPath,
    sharingPolicy: settings.sharingPolicy ?? 'shared',
    proxyPlugins,
    logLevel: settings.logLevel ?? 'info',
    logFormat: settings.logFormat ?? 'json',
  }
}

const absolute = (path: string | undefined) => (path === undefined ? undefined : resolve(path))

async function fileSettings(
  file: string | undefined,
  { configuration }: DefaultDirectories,
): Promise<FileSettings> {
  try {
    return await readConfigurationFile(file || configuration)
  } catch (error) {
    if (!file && isNotFound(error)) return { settings: {}, proxyPlugins: [] }
    throw error
  }
}

function environmentValues(
  env: Readonly<Record<string, string | undefined>>,
): Partial<Record<SettingName, string>> {
  return Object.fromEntries(settingEntries.map(([name, { variable }]) => [name, env[variable] || undefined]))
}
