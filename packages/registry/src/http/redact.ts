/** Query parameters of the protocol that say nothing secret; the value of any other may be a signature or a token. */
const harmless = new Set(['ns', 'digest', 'mount', 'from', 'service', 'scope'])

/** A URL for errors and logs: without user information and fragment, unknown query values masked (HOSTILE C06). */
export function redactUrl(url: URL): string {
  const query = [...url.searchParams].map(
    ([key, value]) => `${encodeURIComponent(key)}=${harmless.has(key) ? value : '***'}`,
  )
  return printable(`${url.origin}${url.pathname}${query.length === 0 ? '' : `?${query.join('&')}`}`, 1024)
}

/**
 * Text that a server sent, for errors: one line, bounded, and without the secrets that went to that server, which it
 * may echo.
 *
 * @param secrets passwords, tokens and header values that must not appear
 */
export function remoteText(text: string, secrets: readonly string[] = []): string {
  let result = text
  for (const secret of secrets) if (secret.length >= 4) result = result.replaceAll(secret, '***')
  return printable(result, 512)
}

/** The secrets that an `Authorization` value holds, in each form in which it could be echoed. */
export function secretsOf(authorization: string | undefined): string[] {
  if (authorization === undefined) return []
  const value = authorization.replace(/^\S+\s+/, '')
  if (!/^basic\s/i.test(authorization)) return [value]
  const decoded = Buffer.from(value, 'base64').toString()
  return [value, decoded.slice(decoded.indexOf(':') + 1)]
}

function printable(text: string, limit: number): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim()
  return line.length > limit ? `${line.slice(0, limit)}…` : line
}
