import type { AbortOptions } from '@nsbox/core/content'
import type { Dispatcher } from 'undici'
import type { HeaderFields } from './header-fields.ts'
import type { Hiding } from './redact.ts'
import type { TlsSettings } from './tls-settings.ts'

/** One request to one origin. */
export interface Exchange extends AbortOptions {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  readonly url: URL
  /** The origin of the server that named the URL; absent if the user did. */
  readonly namedBy?: string | undefined
  readonly headers: HeaderFields
  /** Gives the body from its start at each call. The caller sets `content-length`. */
  readonly body?: (() => AsyncIterable<Uint8Array>) | string | undefined
  readonly tls: TlsSettings
  /** Milliseconds to open a connection, in place of the general limit. */
  readonly connectTimeout?: number | undefined
}

/** The head of the answer, with a body that must be read or destroyed. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Dispatcher.ResponseData['body']
  /** The final URL, after redirects. */
  readonly url: URL
  /** The redacted URL, for errors and logs. */
  readonly address: string
  /** Secrets to remove from everything that the server says. */
  readonly secrets: Hiding
}

/** Sends a request and waits for the head of the answer. */
export type Send = (exchange: Exchange) => Promise<Reply>

/** A header that must not be repeated; undefined if it is absent or repeated. */
export function singleHeader(reply: Reply, name: string): string | undefined {
  const value = reply.headers[name]
  return typeof value === 'string' ? value : undefined
}

/** Most bytes and milliseconds for draining an unused body. */
const discarded = { limit: 16 * 1024, time: 1_000 }

/** Discards an answer's body; a small rest is read, so that the connection can be reused. */
export async function discard({ body }: Reply): Promise<void> {
  const signal = AbortSignal.timeout(discarded.time)
  await body.dump({ limit: discarded.limit, signal }).catch(() => {})
}
