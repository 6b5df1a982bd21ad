import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { type JsonObject, parseObject } from './json-object.ts'

/** A configured network: a list of plugins that are called one after the other. */
export interface NetworkList {
  /** Version of the specification for the plugins, such as `1.0.0`. */
  readonly cniVersion: string
  readonly name: string
  /** The configuration of each plugin, as it stands in the file. */
  readonly plugins: readonly PluginConfiguration[]
  /** Whether CHECK must not be called. */
  readonly disableCheck: boolean
  /** The text of the file, which is kept with results. */
  readonly text: string
}

export interface PluginConfiguration extends JsonObject {
  /** Name of the program. */
  readonly type: string
}

/** Most bytes of a configuration. */
const maxBytes = 1024 * 1024

const maxPlugins = 64

/** CNI specification, section 1: names of networks, which are part of the names of files. */
const networkName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/

/** The name of a plugin, a program in one of the plugin directories and never elsewhere. */
const pluginType = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/

/** The default directory of configurations. */
export const defaultNetworkDirectory = '/etc/cni/net.d'

/**
 * The default network: the first configuration in a directory, by name, among `*.conflist`, `*.conf` and `*.json`.
 *
 * @throws `not_found` without any; `invalid_argument` for a malformed configuration; `failed_precondition` for a file
 * or a directory that everyone may write to
 */
export async function readDefaultNetwork(
  directory: string = defaultNetworkDirectory,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<NetworkList> {
  const file = (await configurationFiles(directory))[0]
  if (file === undefined) throw new NsboxError('not_found', `no network config found in ${directory}`)
  const path = join(directory, file)
  for (const checked of [directory, path]) await refuseIfOpenToAll(checked)
  const bytes = await readFile(path, { signal }).catch((error: unknown) => {
    throw fromSystemError(error, `network configuration ${path}`)
  })
  if (bytes.byteLength > maxBytes) {
    throw new NsboxError('invalid_argument', `network configuration ${path}: more than ${maxBytes} bytes`)
  }
  return parseNetworkList(bytes.toString(), path)
}

/**
 * Reads a configuration: a list of plugins, or that of a single one.
 * @param source what it is called in errors
 * @throws `invalid_argument`
 */
export function parseNetworkList(text: string, source: string): NetworkList {
  const refuse = (why: string) =>
    new NsboxError('invalid_argument', `network configuration ${source}: ${why}`)
  const fields = parseObject(text, `network configuration ${source}`)
  const { cniVersion = '0.2.0', name, disableCheck = false } = fields
  if (typeof name !== 'string' || !networkName.test(name)) throw refuse('no name of a network')
  if (typeof cniVersion !== 'string' || !/^\d+\.\d+\.\d+$/.test(cniVersion)) throw refuse('no version of CNI')
  const plugins: unknown = fields.plugins ?? [fields]
  if (!Array.isArray(plugins) || plugins.length === 0 || plugins.length > maxPlugins)
    throw refuse('no plugins')
  if (!plugins.every(isPlugin)) throw refuse('a plugin without a type')
  // Some configurations have it as a string.
  return { cniVersion, name, plugins, disableCheck: disableCheck === true || disableCheck === 'true', text }
}

function isPlugin(value: unknown): value is PluginConfiguration {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false
  return typeof value.type === 'string' && pluginType.test(value.type)
}

async function configurationFiles(directory: string): Promise<string[]> {
  try {
    const names = await readdir(directory)
    return names.filter((name) => ['.conflist', '.conf', '.json'].includes(extname(name))).sort()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw fromSystemError(error, `network configurations in ${directory}`)
  }
}

/** If everybody could write to it, everybody could run programs as root (docs/threat-model.md D15). */
export async function refuseIfOpenToAll(path: string): Promise<void> {
  const { mode } = await stat(path)
  if ((mode & 0o002) === 0) return
  throw new NsboxError('failed_precondition', `${path}: everyone may write to it`)
}
