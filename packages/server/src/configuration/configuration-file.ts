import { open } from 'node:fs/promises'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import { parse, TomlError } from 'smol-toml'
import { checkSettings, settingEntries } from './check-setting.ts'
import type { SettingName, Settings } from './setting.ts'

/** The most bytes that a configuration file may have. */
const maxBytes = 1 << 20

/**
 * Reads a configuration file in TOML.
 *
 * @throws `not_found`, `permission_denied`; `invalid_argument` if it is no TOML, too large, has a key that does not
 * exist, or a value that is not allowed
 */
export async function readConfigurationFile(path: string): Promise<Settings> {
  return parseConfiguration(await readBounded(path), path)
}

/** Reads settings from the text of a configuration file; `path` names it in errors. */
export function parseConfiguration(text: string, path: string): Settings {
  let document: unknown
  try {
    document = parse(text)
  } catch (cause) {
    throw new NsboxError('invalid_argument', `configuration ${path}: ${reason(cause)}`, { cause })
  }
  const given: Partial<Record<SettingName, unknown>> = {}
  for (const [key, value] of leaves(document as Record<string, unknown>)) {
    const entry = settingEntries.find(([, setting]) => setting.key === key)
    if (entry === undefined) {
      throw new NsboxError('invalid_argument', `configuration ${path}: unknown key ${JSON.stringify(key)}`)
    }
    given[entry[0]] = value
  }
  return checkSettings(given, (setting) => `configuration ${path}: key ${JSON.stringify(setting.key)}`)
}

/** The parser's message goes on with a picture of the place. */
function reason(error: unknown): string {
  if (!(error instanceof TomlError)) return String(error)
  return `line ${error.line}, column ${error.column}: ${error.message.split('\n', 1)[0]}`
}

const tables = new Set(
  settingEntries.map(([, { key }]) => key).flatMap((key) => (key.includes('.') ? [key.split('.')[0]] : [])),
)

/** The keys of a document with their values; a table is entered only where a setting lies in it. */
function* leaves(document: Readonly<Record<string, unknown>>): Iterable<[string, unknown]> {
  for (const [key, value] of Object.entries(document)) {
    if (!tables.has(key) || typeof value !== 'object' || value === null) yield [key, value]
    else for (const [inner, leaf] of Object.entries(value)) yield [`${key}.${inner}`, leaf]
  }
}

async function readBounded(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r')
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0)
    if (bytesRead > maxBytes) {
      throw new NsboxError('invalid_argument', `configuration ${path}: larger than ${maxBytes} bytes`)
    }
    return buffer.toString('utf8', 0, bytesRead)
  } catch (error) {
    throw fromSystemError(error, `configuration ${path}`)
  }
}
