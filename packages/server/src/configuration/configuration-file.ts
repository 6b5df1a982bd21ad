import { NsboxError } from '@nsbox/errors'
import { readBoundedFile } from './bounded-file.ts'
import { checkSettings, settingEntries } from './check-setting.ts'
import { type ProxyPlugin, parseProxyPlugins } from './proxy-plugin.ts'
import type { SettingName, Settings } from './setting.ts'
import { parseToml } from './toml-document.ts'

/** What a configuration file says. */
export interface FileSettings {
  readonly settings: Settings
  readonly proxyPlugins: readonly ProxyPlugin[]
}

/**
 * Reads a configuration file in TOML.
 *
 * @throws `not_found`, `permission_denied`; `invalid_argument` if it is too large, malformed, or has an unknown key or
 * a value that is not allowed
 */
export async function readConfigurationFile(path: string): Promise<FileSettings> {
  return parseConfiguration(await readBoundedFile(path, `configuration ${path}`), path)
}

/** Reads settings from the text of a configuration file; `path` names it in errors. */
export function parseConfiguration(text: string, path: string): FileSettings {
  const { proxy_plugins, ...document } = parseToml(text, `configuration ${path}`)
  const given: Partial<Record<SettingName, unknown>> = {}
  for (const [key, value] of leaves(document)) {
    const entry = settingEntries.find(([, setting]) => setting.key === key)
    if (entry === undefined) {
      throw new NsboxError('invalid_argument', `configuration ${path}: unknown key ${JSON.stringify(key)}`)
    }
    given[entry[0]] = value
  }
  return {
    settings: checkSettings(given, (setting) => `configuration ${path}: key ${JSON.stringify(setting.key)}`),
    proxyPlugins: parseProxyPlugins(proxy_plugins, `configuration ${path}`),
  }
}

const tables = new Set(
  settingEntries.map(([, { key }]) => key).flatMap((key) => (key.includes('.') ? [key.split('.')[0]] : [])),
)

/** The dotted keys of a document with their values; only tables with known settings are entered. */
function* leaves(document: Readonly<Record<string, unknown>>): Iterable<[string, unknown]> {
  for (const [key, value] of Object.entries(document)) {
    if (!tables.has(key) || typeof value !== 'object' || value === null) yield [key, value]
    else for (const [inner, leaf] of Object.entries(value)) yield [`${key}.${inner}`, leaf]
  }
}
