import { NsboxError } from '@nsbox/errors'
import { validate } from '@nsbox/oci'
import { parse, TomlError } from 'smol-toml'
import * as v from 'valibot'
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

const table = v.custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date),
  'not a table',
)

/** A table's entries; `record` would drop those of names such as `constructor`. */
const tableEntries = v.pipe(
  table,
  v.transform((value) => Object.entries(value)),
  v.maxLength(maxEntries, `more than ${maxEntries} entries`),
)

/** A list, or its only entry by itself. */
function listed<const S extends v.GenericSchema>(entry: S) {
  return v.pipe(
    v.unknown(),
    v.transform((value): unknown[] => (Array.isArray(value) ? value : [value])),
    v.maxLength(maxEntries, `more than ${maxEntries} entries`),
    v.array(entry),
  )
}

const text = v.string()
const texts = listed(text)

const hostFields = {
  capabilities: v.optional(listed(v.picklist(['pull', 'resolve', 'push']))),
  ca: v.optional(texts, []),
  client: v.optional(
    listed(
      v.pipe(
        texts,
        v.check(
          ({ length }) => length === 1 || length === 2,
          'not a certificate, or a certificate and a key',
        ),
        v.transform(([cert = '', key]) => ({ cert, ...(key && { key }) })),
      ),
    ),
    [],
  ),
  skip_verify: v.optional(v.boolean(), false),
  override_path: v.optional(v.boolean(), false),
  header: v.optional(v.pipe(tableEntries, v.array(v.tuple([text, texts]))), {}),
  dial_timeout: v.optional(
    v.pipe(
      text,
      v.transform((duration) => (duration === '' ? undefined : (parseDuration(duration) ?? 0))),
      v.check((milliseconds) => milliseconds !== 0, 'not a duration such as "5s"'),
    ),
  ),
}

const hostSchema = v.pipe(table, v.object(hostFields))

const fileSchema = v.pipe(
  table,
  v.object({ ...hostFields, server: v.optional(text), host: v.optional(tableEntries, {}) }),
)

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
  const { host, server, ...own } = validate(fileSchema, file, context)
  return [
    ...host.map(([address, fields]) => {
      const what = contextOf(address, context)
      return entry(address, validate(hostSchema, fields, what), what)
    }),
    entry(server || undefined, own, server ? contextOf(server, context) : context),
  ]
}

function entry(
  address: string | undefined,
  fields: v.InferOutput<typeof hostSchema>,
  context: string,
): HostEntry {
  const { capabilities, ca, client, header, dial_timeout: dialTimeout } = fields
  const headers = header.flatMap(([name, values]) => values.map((value) => [name, value] as const))
  return {
    ...(address !== undefined && location(address, fields.override_path, context)),
    ...(capabilities && { capabilities: new Set(capabilities) }),
    ca,
    client,
    skipVerify: fields.skip_verify,
    headers: headerFields(headers, context),
    ...(dialTimeout && { dialTimeout }),
  }
}

const contextOf = (address: string, file: string) => `${file}: ${JSON.stringify(shown(address))}`

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

const refuse = (context: string, why: string) => new NsboxError('invalid_argument', `${context}: ${why}`)
