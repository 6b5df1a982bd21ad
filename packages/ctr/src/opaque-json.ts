import type { ContainerRuntime, OpaqueValue } from '@nsbox/core/containers'
import { NsboxError } from '@nsbox/errors'

/** Types of which the value is JSON, by the first part of their URL. */
const jsonType = /^(?:type\.googleapis\.com\/)?types\.containerd\.io\/opencontainers\/runtime-spec\//

/** Whether a value is JSON, as specs and features of runtimes are. */
export function isJson({ typeUrl }: OpaqueValue): boolean {
  return jsonType.test(typeUrl)
}

/**
 * The text of a value that is JSON, unknown fields included.
 * @param what the value is, for the error
 * @throws `invalid_argument` for a value of another type, or damaged JSON
 */
export function jsonText(what: string, value: OpaqueValue): string {
  if (!isJson(value))
    throw new NsboxError('invalid_argument', `${what} has type ${JSON.stringify(value.typeUrl)}`)
  const text = new TextDecoder().decode(value.value)
  try {
    JSON.parse(text)
  } catch (cause) {
    throw new NsboxError('invalid_argument', `${what}: ${(cause as Error).message}`, { cause })
  }
  return text
}

/** A value of any type, as containerd's client prints one: its type and, in base64, its bytes. */
export function shownOpaque({ typeUrl, value }: OpaqueValue) {
  return {
    ...(typeUrl !== '' && { type_url: typeUrl }),
    ...(value.byteLength > 0 && { value: Buffer.from(value).toString('base64') }),
  }
}

/** A runtime, as containerd's client prints it. */
export function shownRuntime({ name, options }: ContainerRuntime) {
  return { Name: name, Options: options ? shownOpaque(options) : null }
}

/** Extensions by name, in order. */
export function shownExtensions(extensions: Readonly<Record<string, OpaqueValue>>) {
  return sorted(Object.entries(extensions).map(([name, value]) => [name, shownOpaque(value)]))
}

/** Labels in order; null if there are none. */
export function sortedLabels(labels: Readonly<Record<string, string>>) {
  const entries = Object.entries(labels)
  return entries.length === 0 ? null : sorted(entries)
}

function sorted<T>(entries: [string, T][]): Record<string, T> {
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
