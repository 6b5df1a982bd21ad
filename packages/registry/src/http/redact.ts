import { isNsboxError, NsboxError } from '@nsbox/errors'

/** Removes secrets from texts. */
export interface Hiding {
  hide(text: string): string
}

/** Query parameters of the protocol that are no secrets; the value of any other may be a signature or a token. */
export const shownParameters: ReadonlySet<string> = new Set([
  'ns',
  'digest',
  'mount',
  'from',
  'service',
  'scope',
])

const hidingNothing: Hiding = { hide: (text) => text }

/**
 * A URL for errors and logs: without user information and fragment, unknown query values masked
 * (docs/threat-model.md C06).
 *
 * @param secrets to remove from a URL that a server has named; one that the user has named stays as it is
 */
export function redactUrl(url: URL, secrets: Hiding = hidingNothing): string {
  const query = [...url.searchParams].map(
    ([key, value]) => `${encodeURIComponent(key)}=${shownParameters.has(key) ? value : '***'}`,
  )
  const text = `${url.origin}${url.pathname}${query.length === 0 ? '' : `?${query.join('&')}`}`
  return printable(text, 1024, secrets)
}

/** Text of a server or a program, for errors: one line of bounded length, without secrets. */
export function remoteText(text: string, secrets: Hiding = hidingNothing): string {
  return printable(text, 512, secrets)
}

/** An error about a server's answer, without the secrets that it quotes. */
export function withoutSecrets(error: unknown, secrets: Hiding): unknown {
  if (!isNsboxError(error)) return error
  const context = secrets.hide(error.context)
  return context === error.context ? error : new NsboxError(error.code, context, { details: error.details })
}

function printable(text: string, limit: number, secrets: Hiding): string {
  // Invisible characters could stand in the middle of a secret.
  const visible = secrets.hide(text).replace(/\p{Cf}+/gu, '')
  const line = secrets.hide(visible.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim())
  return line.length > limit ? `${line.slice(0, limit)}…` : line
}
