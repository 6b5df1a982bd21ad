import { NsboxError } from '@nsbox/errors'
import { parse, TomlError } from 'smol-toml'
import { type HeaderFields, headerFields } from '../http/header-fields.ts'
import { parseDuration } from './duration.ts'
import type { Capability } from './registry-host.ts'

/** A host of a hosts.toml. Paths are as in the file. */
export interface HostEntry {
  /** Absent for the registry itself, if the file has no `server`. */
  readonly url?: URL | undefined
  /** Where the API starts; absent together with `url`. */
  readonly path?: string | undefined
  readonly capabilities?: ReadonlySet<Capability> | undefined
  readonly ca: readonly string[]
  readonly client: readonly { readonly cert: string; readonly key?: string | undefined }[]
  readonly skipVerify: boolean
  readonly headers: HeaderFields
  /** Milliseconds. */
  readonly dialTimeout?: number | undefined
}

/** Most hosts of a file, and most entries of any list in it (docs/threat-model.md D18). */
const maxEntries = 64

/**
 * Reads the hosts.toml of containerd (docs/behaviour.md §12): the hosts in the order of the file, then the server.
 *
 * @throws `invalid_argument` for malformed TOML, a field of another type, an unknown capability, an invalid address, a
 * header that cannot be sent. Unknown fields are ignored.
 */
export function parseHostsFile(text: string, context: string): HostEntry[] {
  let file: unknown
  try {
    file = parse(text, { maxDepth: 16 })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // The further lines of its message quote the file, which may have secrets.
    const [said] = error.message.split('\n')
    throw refuse(context, `${said} (line ${error.line}, column ${error.column})`)
  }
  const root = table(file, context)
  const hosts = root.host === undefined ? [] : Object.entries(table(root.host, `${context}: host`))
  if (hosts.length > maxEntries) throw refuse(context, `more than ${maxEntries} hosts`)
  return [
    ...hosts.map(([address, fields]) => entry(address, table(fields, `${context}: host`), context)),
    entry(optionalString(root, 'server', context), root, context),
  ]
}

function entry(address: string | undefined, fields: Fields, file: string): HostEntry {
  const context = address === undefined ? file : `${file}: ${JSON.stringify(shown(address))}`
  const duration = optionalString(fields, 'dial_timeout', context)
  const dialTimeout = duration === undefined ? undefined : parseDuration(duration)
  if (duration !== undefined && !dialTimeout)
    throw refuse(context, 'dial_timeout is no duration such as "5s"')
  const keepPath = optionalBoolean(fields, 'override_path', context)
  const names =
    fields.capabilities === undefined ? undefined : strings(fields.capabilities, 'capabilities', context)
  return {
    ...(address !== undefined && location(address, keepPath, context)),
    ...(names && { capabilities: new Set(names.map((name) => capability(name, context))) }),
    ca: strings(fields.ca ?? [], 'ca', context),
    client: clientPairs(fields.client ?? [], context),
    skipVerify: optionalBoolean(fields, 'skip_verify', context),
    headers: headers(fields.header ?? {}, context),
    ...(dialTimeout && { dialTimeout }),
  }
}

/** Without a name and a password, which are refused. */
const shown = (address: string) => address.replace(/^(https?:\/\/)?[^/]*@/i, '$1***@').slice(0, 256)

function location(address: string, keepPath: boolean, context: string): { url: URL; path: string } {
  const text = /^https?:\/\//i.test(address) ? address : `https://${address}`
  if (!URL.canParse(text)) throw refuse(context, 'no address of a host')
  const url = new URL(text)
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw refuse(context, 'an address may have a scheme, a host, a port and a path only')
  const path = url.pathname.replace(/\/+$/, '')
  return { url, path: keepPath || path.endsWith('/v2') ? path : `${path}/v2` }
}

function capability(name: string, context: string): Capability {
  if (name === 'pull' || name === 'resolve' || name === 'push') return name
  throw refuse(context, `unknown capability ${JSON.stringify(name.slice(0, 64))}`)
}

function clientPairs(value: unknown, context: string): HostEntry['client'] {
  const list = Array.isArray(value) ? value : [value]
  if (list.length > maxEntries) throw refuse(context, `more than ${maxEntries} client certificates`)
  return list.map((item) => {
    const [cert, key, ...rest] = strings(item, 'client', context)
    if (cert === undefined || rest.length > 0)
      throw refuse(context, 'client is a certificate, or a certificate and a key')
    return { cert, ...(key && { key }) }
  })
}

function headers(value: unknown, context: string): HeaderFields {
  const fields = Object.entries(table(value, context))
  if (fields.length > maxEntries) throw refuse(context, `more than ${maxEntries} headers`)
  return headerFields(
    fields.flatMap(([name, values]) =>
      strings(values, 'header', context).map((text) => [name, text] as const),
    ),
    context,
  )
}

type Fields = Readonly<Record<string, unknown>>

function table(value: unknown, context: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date))
    return Object.assign(Object.create(null), value)
  throw refuse(context, 'not a table')
}

function strings(value: unknown, name: string, context: string): string[] {
  const list = Array.isArray(value) ? value : [value]
  if (list.length > maxEntries) throw refuse(context, `more than ${maxEntries} entries in ${name}`)
  if (list.every((item): item is string => typeof item === 'string')) return list
  throw refuse(context, `${name} is a string or a list of strings`)
}

function optionalString(fields: Fields, name: string, context: string): string | undefined {
  const value = fields[name]
  if (value === undefined || typeof value === 'string') return value || undefined
  throw refuse(context, `${name} is a string`)
}

function optionalBoolean(fields: Fields, name: string, context: string): boolean {
  const value = fields[name] ?? false
  if (typeof value === 'boolean') return value
  throw refuse(context, `${name} is true or false`)
}

const refuse = (context: string, why: string) => new NsboxError('invalid_argument', `${context}: ${why}`)
