import { once } from 'node:events'
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** What came of a request. */
export interface WebReply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A request as a browser sends it, or does not. */
export interface WebRequest {
  readonly method?: string | undefined
  /** Those with undefined are not sent. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined
  readonly body?: string | undefined
}

/** Makes a request over a connection of its own. @param host the listener's name and port */
export async function ask(host: string, path: string, asked: WebRequest = {}): Promise<WebReply> {
  const { method = 'GET', headers = {}, body } = asked
  const { hostname, port } = new URL(`http://${host}`)
  const sent: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries({ host, ...headers }))
    if (value !== undefined) sent[name] = value
  const asking = request({
    ...{ host: hostname.replace(/^\[|\]$/g, ''), port, path, method, headers: sent },
    ...{ agent: false, setHost: false },
  })
  // A refusal may come before the body has been sent.
  asking.on('error', () => {})
  asking.end(body)
  const [response] = await once(asking, 'response')
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

/** The cookie of a session that a link opens. @throws if the link is refused */
export async function openPage(url: string): Promise<string> {
  const { host, pathname, search } = new URL(url)
  const { status, headers } = await ask(host, `${pathname}${search}`)
  const [cookie] = headers['set-cookie'] ?? []
  if (status !== 200 || cookie === undefined) throw new Error(`the link was answered by ${status}`)
  return cookie.split(';', 1)[0]!
}

/** Calls a method with a message in JSON, as the page does. */
export async function callMethod(
  host: string,
  method: string,
  { cookie, namespace, body = '{}' }: { cookie: string; namespace?: string; body?: string },
): Promise<WebReply> {
  const headers = {
    ...{ cookie, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' },
    ...{ 'content-type': 'application/json', 'containerd-namespace': namespace },
  }
  return await ask(host, `/${method}`, { method: 'POST', headers, body })
}
