import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { AbortOptions } from '@nsbox/concurrency'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { validate } from '@nsbox/oci'
import * as v from 'valibot'
import { type JsonObject, parseObject } from './json-object.ts'

/** Most bytes of a configuration. */
const maxBytes = 1024 * 1024

/** CNI specification, section 1: names of networks, which are part of the names of files, and of plugins. */
const plainName = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'not a plain name'))

export interface PluginConfiguration extends JsonObject {
  /** Name of the program. */
  readonly type: string
}

const networkSchema = v.object({
  /** Of the specification that the plugins are to follow, such as `1.0.0`. */
  cniVersion: v.optional(v.pipe(v.string(), v.regex(/^\d+\.\d+\.\d+$/, 'not a version')), '0.2.0'),
  name: plainName,
  /** The configuration of each plugin, as it stands in the file. */
  plugins: v.pipe(
    v.array(v.custom<PluginConfiguration>(isPlugin, 'not a plugin with a type')),
    v.minLength(1, 'none'),
    v.maxLength(64, 'more than 64'),
  ),
  /** Whether there is nothing to check. Some files have it as a string. */
  disableCheck: v.pipe(
    v.optional(v.unknown(), false),
    v.transform((value) => value === true || value === 'true'),
  ),
})

/** A network as its administrator has configured it: plugins that are called one after the other. */
export interface NetworkList extends Readonly<v.InferOutput<typeof networkSchema>> {
  /** The text of the file. */
  readonly text: string
}

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
  { signal }: AbortOptions = {},
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
  const context = `network configuration ${source}`
  const fields = parseObject(text, context)
  return { ...validate(networkSchema, { ...fields, plugins: fields.plugins ?? [fields] }, context), text }
}

/** The loopback network: its interface is `lo`. */
export const loopbackNetwork: NetworkList = parseNetworkList(
  JSON.stringify({ cniVersion: '0.3.1', name: 'cni-loopback', plugins: [{ type: 'loopback' }] }),
  'loopback',
)

function isPlugin(value: unknown): boolean {
  return v.is(v.object({ type: plainName }), value)
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

/**
 * Refuses a file or directory that everyone may write to: everyone could then run programs as root
 * (docs/threat-model.md D15).
 */
export async function refuseIfOpenToAll(path: string): Promise<void> {
  const { mode } = await stat(path)
  if ((mode & 0o002) === 0) return
  throw new NsboxError('failed_precondition', `${path}: everyone may write to it`)
}
