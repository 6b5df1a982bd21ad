import { NsboxError, quoted } from '@nsbox/errors'

/** Header fields by lower-case name. */
export type HeaderFields = Readonly<Record<string, string>>

const name = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/
const value = /^[\t\x20-\x7e\x80-\xff]{0,8192}$/
/** Fields that frame the message or that the client sets itself. */
const reserved = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * Checks header fields from configuration (docs/threat-model.md C10).
 *
 * @throws `invalid_argument` for an invalid name or value
 */
export function headerFields(fields: Iterable<readonly [string, string]>, context: string): HeaderFields {
  const result: Record<string, string> = Object.create(null)
  for (const [key, text] of fields) {
    const lower = key.toLowerCase()
    if (!name.test(key)) throw refuse(context, `header name ${quoted(key)}`)
    if (reserved.has(lower)) throw refuse(context, `header ${lower}, which is not for the user to set`)
    if (!value.test(text)) throw refuse(context, `value of header ${lower}`)
    result[lower] = lower in result ? `${result[lower]}, ${text}` : text
  }
  return result
}

const refuse = (context: string, what: string) =>
  new NsboxError('invalid_argument', `${context}: invalid ${what}`)

/** The fields with these names, those that exist. */
export function pick(fields: HeaderFields, names: readonly string[]): HeaderFields {
  const present = names.filter((key) => fields[key] !== undefined)
  return Object.fromEntries(present.map((key) => [key, fields[key]!]))
}
