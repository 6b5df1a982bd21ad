import type { Exchange } from './exchange.ts'
import { shownParameters } from './redact.ts'

/** Secrets that are kept; the one that was sent longest ago goes first. */
const maxSecrets = 64
/** Most characters of one. Of a server's text no more is read, so a longer one cannot be in it as a whole. */
const maxLength = 64 * 1024
/** Shorter ones are hidden as words of their own only, so that other text stays what it is. */
const shortest = 4

/** Headers that say nothing secret. */
const harmlessHeaders = new Set([
  'accept',
  'accept-encoding',
  'content-length',
  'content-type',
  'range',
  'user-agent',
])

/** Parameters of the protocol's queries and forms that say nothing secret; any other may be a signature or a token. */
const harmlessParameters = new Set([...shownParameters, 'account', 'client_id', 'grant_type'])

/**
 * What a client has sent that nobody else may see: passwords, tokens, signatures, values of configured headers. A server may
 * echo it, so it is taken out of everything that servers say before that is told to anybody (docs/threat-model.md C06,
 * E09).
 */
export class SentSecrets {
  /** Each with the forms in which it may come back. */
  readonly #secrets = new Map<string, readonly string[]>()

  /** Notes the secrets of a request, wherever they are in it: header, query or form. */
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
    // A short value of another header is hardly a secret, and what it says would be missed in other text.
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

/** As it is, and in base64, URLs, forms and JSON. */
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
