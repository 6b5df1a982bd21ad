import { NsboxError, quoted } from '@nsbox/errors'
import { validateIdentifier } from '@nsbox/namespaces'
import { defaultPlatform, type Platform, parsePlatform } from '@nsbox/oci'

/** What a proxy plugin is, under the short names of containerd's configuration. */
export type ProxyPluginType = 'snapshot' | 'content' | 'diff'

/** A snapshotter, content store or differ that another process serves. */
export interface ProxyPlugin {
  readonly name: string
  readonly type: ProxyPluginType
  /** Path of its socket. */
  readonly address: string
  /** What clients are told that it works for; that of this host by default. */
  readonly platform?: Platform | undefined
  /** Values for clients. */
  readonly exports?: Readonly<Record<string, string>> | undefined
  /** Optional features, such as `rebase`. */
  readonly capabilities?: readonly string[] | undefined
}

const types: Readonly<Record<string, ProxyPluginType>> = {
  snapshot: 'snapshot',
  'io.containerd.snapshotter.v1': 'snapshot',
  content: 'content',
  'io.containerd.content.v1': 'content',
  diff: 'diff',
  'io.containerd.differ.v1': 'diff',
}

/** The longest path that a socket can have (unix(7), `sun_path`). */
const maxPath = 107

/**
 * Reads the tables `proxy_plugins.NAME` of a configuration, with the keys that containerd has.
 *
 * @param tables the value of `proxy_plugins`
 * @param where names the configuration in errors
 * @throws `invalid_argument` for what is not understood, naming plugin and key
 */
export function parseProxyPlugins(tables: unknown, where: string): ProxyPlugin[] {
  if (tables === undefined) return []
  return Object.entries(table(tables, `${where}: proxy_plugins`)).map(([name, value]) =>
    parseProxyPlugin(name, value, `${where}: proxy_plugins.${name}`),
  )
}

function parseProxyPlugin(name: string, value: unknown, where: string): ProxyPlugin {
  checked(where, () => validateIdentifier(name))
  const { type, address, platform, exports, capabilities, ...others } = table(value, where)
  for (const key of Object.keys(others)) throw refusal(where, `unknown key ${quoted(key)}`)
  const known = Object.hasOwn(types, text(type, `${where}.type`)) ? types[type as string] : undefined
  if (known === undefined)
    throw refusal(where, `type ${quoted(String(type))}, must be one of snapshot, content, diff`)
  return {
    name,
    type: known,
    address: socketPath(text(address, `${where}.address`), `${where}.address`),
    platform:
      platform === undefined
        ? defaultPlatform()
        : checked(`${where}.platform`, () => parsePlatform(text(platform, `${where}.platform`))),
    exports: exports === undefined ? {} : textsByKey(exports, `${where}.exports`),
    capabilities: capabilities === undefined ? [] : texts(capabilities, `${where}.capabilities`),
  }
}

/** The path in `/path` or `unix:///path`. */
function socketPath(address: string, where: string): string {
  const path = address.replace(/^unix:\/\//, '')
  if (!path.startsWith('/') || path.includes('\0'))
    throw refusal(where, `${quoted(address)} is no absolute path of a unix socket`)
  const bytes = Buffer.byteLength(path)
  if (bytes > maxPath) throw refusal(where, `a path of ${bytes} bytes, a socket can have ${maxPath}`)
  return path
}

function table(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date))
    return value as Readonly<Record<string, unknown>>
  throw refusal(where, 'must be a table')
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw refusal(where, 'must be a non-empty text')
}

function texts(value: unknown, where: string): string[] {
  if (!Array.isArray(value)) throw refusal(where, 'must be a list of texts')
  return value.map((item) => text(item, where))
}

function textsByKey(value: unknown, where: string): Record<string, string> {
  const pairs = Object.entries(table(value, where))
  return Object.fromEntries(pairs.map(([key, item]) => [key, text(item, `${where}.${key}`)]))
}

function checked<T>(where: string, check: () => T): T {
  try {
    return check()
  } catch (error) {
    throw new NsboxError('invalid_argument', `${where}: ${(error as Error).message}`, { cause: error })
  }
}

const refusal = (where: string, why: string) => new NsboxError('invalid_argument', `${where}: ${why}`)
