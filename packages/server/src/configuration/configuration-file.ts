import { NsboxError } from '@nsbox/errors'
import { readBoundedFile } from './bounded-file.ts'
import { checkSettings, settingEntries } from './check-setting.ts'
import { lineOfKey } from './line-of-key.ts'
import { type ProxyPlugin, parseProxyPlugins } from './proxy-plugin.ts'
import type { SettingName, Settings } from './setting.ts'
import { rawSteps, stepsOf } from './setting-key.ts'
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
  /** Names the place of a key in an error. */
  const at = (key: string) => {
    const line = lineOfKey(text, stepsOf(key))
    return `configuration ${path}:${line === undefined ? '' : ` line ${line}:`}`
  }
  const given: Partial<Record<SettingName, unknown>> = {}
  for (const [key, value] of leaves(document)) {
    const entry = settingEntries.find(([, setting]) => setting.key === key)
    if (entry === undefined) {
      throw new NsboxError('invalid_argument', `${at(key)} unknown key ${JSON.stringify(key)}`)
    }
    given[entry[0]] = value
  }
  return {
    settings: checkSettings(given, ({ key }) => `${at(key)} key ${JSON.stringify(key)}`),
    proxyPlugins: proxyPluginsOf(proxy_plugins, `configuration ${path}`, (key) => at(key).slice(0, -1)),
  }
}

function proxyPluginsOf(tables: unknown, where: string, at: (key: string) => string): ProxyPlugin[] {
  try {
    return parseProxyPlugins(tables, where)
  } catch (error) {
    if (typeof tables !== 'object' || tables === null) throw error
    // Again one by one, to find the place of the one that is wrong.
    for (const [name, table] of Object.entries(tables))
      parseProxyPlugins({ [name]: table }, at(`proxy_plugins.${JSON.stringify(name)}`))
    throw error
  }
}

/** The keys of tables that have settings in them, dotted. */
const tables: ReadonlySet<string> = new Set(
  settingEntries.flatMap(([, { key }]) => {
    const steps = rawSteps(key)
    return steps.slice(1).map((_, index) => steps.slice(0, index + 1).join('.'))
  }),
)

/** The dotted keys of a document with their values; only tables with known settings are entered. */
function* leaves(
  document: Readonly<Record<string, unknown>>,
  prefix = '',
): Generator<[string, unknown], void, undefined> {
  for (const [step, value] of Object.entries(document)) {
    const key = `${prefix}${/^[\w-]+$/.test(step) ? step : JSON.stringify(step)}`
    if (!tables.has(key) || typeof value !== 'object' || value === null) yield [key, value]
    else yield* leaves(value as Readonly<Record<string, unknown>>, `${key}.`)
  }
}
