import type { Exchange } from './exchange.ts'
import { shownParameters } from './redact.ts'

/** Most secrets that are remembered; the one that was sent longest ago is dropped first. */
const maxSecrets = 64
/** Most characters of a secret. No more is read of a server's text, so it cannot have a longer one as a whole. */
const maxLength = 64 * 1024
/** Shorter secrets are masked only as whole words, so that other text stays readable. */
const shortest = 4

/** Headers without secrets. */
const harmlessHeaders = new Set([
  'accept',
  'accept-encoding',
  'content-length',
  'content-type',
  'range',
  'user-agent',
])

/** Parameters of queries and forms that are no secrets; any other may be a signature or a token. */
const harmlessParameters = new Set([...shownParameters, 'account', 'client_id', 'grant_type'])

/**
 * The secrets that a client has sent: passwords, tokens, signatures, values of configured headers. A server may echo
 * them, so they are removed from all texts of servers (docs/threat-model.md C06, E09).
 */
export class SentSecrets {
  /** Each secret with all forms in which a server may echo it. */
  readonly #secrets = new Map<string, readonly string[]>()

  /** Records the secrets of a request, from its headers, query and form. */
  note({ headers, url, body }: Pick<Exchange, 'headers' | 'url' | 'body'>): void {
    for (const [name, value] of Object.entries(headers))
      if (!harmlessHeaders.has(name.toLowerCase())) this.#noteHeader(name, value)
    const form = typeof body === 'string' ? [...new URLSearchParams(body)] : []
    for (const [name, value] of [...url.searchParams, ...form])
      if (!harmlessParameters.has(name)) this.#note(value)
  }

  /** The text without the secrets. */
  hide(text: string): string {
    const forms = [...this.#secrets.values()].flat().sort((a, b) => b.length - a.length)
    let result = text
    for (const form of forms) {
      if (form.length >= shortest) result = result.replaceAll(form, '***')
      else result = result.replace(wordOf(form), '***')
    }
    return result
  }

  #noteHeader(name: string, value: string): void {
    const isAuthorization = name.toLowerCase().endsWith('authorization')
    const [, scheme, credentials] = /^([A-Za-z][\w-]*)\s+(\S+)$/.exec(value) ?? []
    // A short value of another header is hardly a secret, and masking it would spoil other text.
    if (isAuthorization || value.length >= shortest) this.#note(credentials ?? value)
    for (const part of value.split(/[\s;,]+|(?<==)/)) if (part.length >= 2 * shortest) this.#note(part)
    if (scheme?.toLowerCase() !== 'basic' || credentials === undefined) return
    const decoded = Buffer.from(credentials, 'base64').toString()
    this.#note(decoded)
    this.#note(decoded.slice(decoded.indexOf(':') + 1))
  }

  #note(secret: string): void {
    if (secret === '' || secret.length > maxLength) return
    const forms = this.#secrets.get(secret) ?? formsOf(secret)
    this.#secrets.delete(secret)
    this.#secrets.set(secret, forms)
    if (this.#secrets.size > maxSecrets) this.#secrets.delete(this.#secrets.keys().next().value!)
  }
}

/** The secret itself, and encoded in base64, URLs, forms and JSON. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const base64 = bytes.toString('base64')
  const escaped = [encoded(secret), new URLSearchParams({ '': secret }).toString().slice(1)]
  return [
    ...new Set([
      secret,
      ...(base64.length > 2 * shortest
        ? [base64, base64.replace(/=+$/, ''), bytes.toString('base64url')]
        : []),
      ...escaped,
      ...escaped.map((text) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())),
      JSON.stringify(secret).slice(1, -1),
    ]),
  ]
}

/** `encodeURIComponent`, for text that may have lone surrogates as well. */
const encoded = (text: string) => encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'))

const wordOf = (word: string) =>
  new RegExp(`(?<![\\p{L}\\p{N}])${word.replace(/[^\p{L}\p{N}]/gu, '\\$&')}(?![\\p{L}\\p{N}])`, 'gu')
