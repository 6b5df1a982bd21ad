import { NsboxError } from '@nsbox/errors'

/** A decoded message with its unknown fields. */
interface WithUnknown {
  readonly $unknown?: readonly { readonly no: number }[] | undefined
}

/** Refuses a message with fields of a later version, which would be ignored. @throws invalid_argument */
export function onlyKnownFields(context: string, message: WithUnknown): void {
  const unknown = message.$unknown?.[0]
  if (unknown === undefined) return
  throw new NsboxError('invalid_argument', `${context}: unknown field ${unknown.no}`)
}

/** An absolute path; undefined for empty. @throws invalid_argument */
export function absolutePath(name: string, text: string): string | undefined {
  if (text === '') return undefined
  if (text.startsWith('/') && !text.includes('\0')) return text
  throw new NsboxError('invalid_argument', `${name} must be an absolute path, not ${JSON.stringify(text)}`)
}
