import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import type { Server } from '../server.ts'
import type { ServiceManager } from '../systemd/service-manager.ts'
import { type Configuration, type ConfigurationSources, readConfiguration } from './read-configuration.ts'
import type { SettingName } from './setting.ts'

/** The settings that take effect by a reload; the files that others name are read anew, too. */
export const reloadedSettings: ReadonlySet<string> = new Set<SettingName>(['logLevel', 'hostsDir'])

/** What is reloaded. */
export interface ReloadOptions {
  readonly sources: ConfigurationSources
  /** The current configuration. */
  readonly running: Configuration
  readonly server: Pick<Server, 'reload'>
  /** Told of the beginning and the end of each reload. */
  readonly manager: Pick<ServiceManager, 'reloading' | 'reloaded'>
  readonly log: Logger
}

/**
 * Makes the function that reloads the configuration. The log's level, the directory for registries and the files of the
 * server take effect; other
 * changed settings are named in the log, since they need a restart. If anything is wrong, nothing changes and the log
 * says why. Never throws; reloads run one after another.
 */
export function reloader(options: ReloadOptions): () => Promise<void> {
  let last: Promise<void> = Promise.resolve()
  return () => {
    last = last.then(() => reload(options))
    return last
  }
}

async function reload({ sources, running, server, manager, log }: ReloadOptions): Promise<void> {
  manager.reloading()
  let status = 'Serving'
  try {
    const wanted = await readConfiguration(sources)
    await server.reload({ hostsDir: wanted.hostsDir })
    log.level = wanted.logLevel
    const settings = changed(running, wanted)
    if (settings.length > 0) log.warn({ settings }, 'these settings have changed and need a restart')
    log.info('reloaded')
  } catch (err) {
    log.error({ err }, 'the configuration is wrong and was not reloaded; nothing has changed')
    status = 'Serving; the configuration is wrong and was not reloaded'
  }
  manager.reloaded(status)
}

function changed(running: Configuration, wanted: Configuration): string[] {
  return Object.entries(wanted).flatMap(([name, value]) =>
    reloadedSettings.has(name) || isDeepStrictEqual(running[name as keyof Configuration], value)
      ? []
      : [name],
  )
}
