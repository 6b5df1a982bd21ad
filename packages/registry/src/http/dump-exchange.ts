import type { Dispatcher } from 'undici'
import { redactUrl } from './redact.ts'
import type { SentSecrets } from './sent-secrets.ts'

/** Called with a part of an exchange, in lines as they are on the wire; must not throw. */
export type Dump = (text: string) => void

/** Most bytes of a body that are shown. */
const maxBody = 64 * 1024

/** Types of bodies that people can read; others are blobs. */
const readable = /^(text\/|application\/(json$|[\w.+-]+\+json$|x-www-form-urlencoded$))/

/** What a request or an answer says of itself. */
type Fields = Readonly<Record<string, string | readonly string[] | undefined>>

/** The request that an answer is to. */
interface Asked {
  readonly url: URL
  readonly secrets: SentSecrets
}

/**
 * Shows requests and answers, with bodies that people can read, up to a bound. Secrets that were sent, values of
 * queries and cookies that may be secrets, and tokens in documents are masked (docs/threat-model.md C06, E09).
 */
export function dumping(dump: Dump, secrets: SentSecrets): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const url = new URL(options.path, options.origin)
    dump(requestText(options, url, secrets))
    return dispatch(options, new DumpedAnswer(handler, dump, { url, secrets }))
  }
}

function requestText(
  { method, headers, body }: Dispatcher.DispatchOptions,
  url: URL,
  secrets: SentSecrets,
): string {
  const target = redactUrl(url, secrets).slice(url.origin.length)
  const fields = (headers ?? {}) as Fields
  const head = [`${method} ${target} HTTP/1.1`, `host: ${url.host}`, ...lines(fields, { url, secrets })]
  const shown =
    typeof body === 'string' && readable.test(typeOf(fields))
      ? [shownBody(body, fields, secrets)]
      : body === undefined || body === null
        ? []
        : [notShown(fields['content-length'], fields)]
  return [...head, '', ...shown, ''].join('\n')
}

/** Passes an answer on, and shows it: the head when it is there, the body at its end. */
class DumpedAnswer implements Dispatcher.DispatchHandler {
  readonly #handler: Dispatcher.DispatchHandler
  readonly #dump: Dump
  readonly #asked: Asked
  #fields: Fields = {}
  /** The body, if it is shown. */
  #body: Buffer[] | undefined
  #size = 0

  constructor(handler: Dispatcher.DispatchHandler, dump: Dump, asked: Asked) {
    this.#handler = handler
    this.#dump = dump
    this.#asked = asked
  }

  onRequestStart(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestStart']>>): void {
    this.#handler.onRequestStart?.(...args)
  }

  onResponseStart(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>): void {
    const [, status, fields, statusText = ''] = args
    this.#fields = fields
    this.#body = readable.test(typeOf(fields)) ? [] : undefined
    const line = `HTTP/1.1 ${status} ${this.#asked.secrets.hide(statusText)}`.trimEnd()
    this.#dump([line, ...lines(fields, this.#asked), '', ''].join('\n'))
    this.#handler.onResponseStart?.(...args)
  }

  onResponseData(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseData']>>): void {
    const [, chunk] = args
    const room = maxBody - this.#size
    // The parser uses its memory again.
    if (this.#body !== undefined && room > 0) this.#body.push(Buffer.from(chunk.subarray(0, room)))
    this.#size += chunk.byteLength
    this.#handler.onResponseData?.(...args)
  }

  onResponseEnd(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseEnd']>>): void {
    this.#showBody()
    this.#handler.onResponseEnd?.(...args)
  }

  onResponseError(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseError']>>): void {
    this.#showBody()
    this.#handler.onResponseError?.(...args)
  }

  #showBody(): void {
    if (this.#size === 0) return
    const isWhole = this.#body !== undefined && this.#size <= maxBody
    const text = isWhole
      ? shownBody(Buffer.concat(this.#body ?? []).toString(), this.#fields, this.#asked.secrets)
      : notShown(this.#size, this.#fields)
    this.#dump(`${text}\n`)
  }
}

/** Lines of a header. */
function lines(fields: Fields, { url, secrets }: Asked): string[] {
  return Object.entries(fields).flatMap(([name, values]) =>
    [values ?? []].flat().map((value) => `${name}: ${secrets.hide(shownValue(name, value, url, secrets))}`),
  )
}

/** The value of a header, in which URLs may have secrets of the server. */
function shownValue(name: string, value: string, url: URL, secrets: SentSecrets): string {
  if (/cookie/i.test(name)) return '***'
  if (/^location$/i.test(name) && URL.canParse(value, url.href))
    return redactUrl(new URL(value, url), secrets)
  return value.replace(/\bhttps?:\/\/[^\s"'<>,;]+/gi, (text) =>
    URL.canParse(text) ? redactUrl(new URL(text), secrets) : '***',
  )
}

/** A body, in which the value of a token is none that was sent yet. */
function shownBody(text: string, fields: Fields, secrets: SentSecrets): string {
  return secrets.hide(/json$/.test(typeOf(fields)) ? withoutTokens(text) : text)
}

/** A document with the values of fields like `access_token` masked; unchanged if it has none. */
function withoutTokens(text: string): string {
  let masked = false
  const mask = (key: string, value: unknown) => {
    if (typeof value !== 'string' || !/token|secret|password/i.test(key)) return value
    masked = true
    return '***'
  }
  try {
    const document = JSON.parse(text, mask)
    return masked ? JSON.stringify(document) : text
  } catch {
    return '[no JSON, not shown]'
  }
}

const notShown = (size: unknown, fields: Fields) =>
  `[${size ?? 'some'} bytes of ${typeOf(fields) || 'no stated type'}, not shown]`

/** The media type of a body, without parameters. */
function typeOf(fields: Fields): string {
  const [, value] = Object.entries(fields).find(([name]) => name.toLowerCase() === 'content-type') ?? []
  return String(value ?? '')
    .split(';')[0]!
    .trim()
    .toLowerCase()
}
