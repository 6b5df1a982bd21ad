import type { IncomingHttpHeaders } from 'node:http'

/** A request, as far as it tells where it comes from. */
export interface OriginFacts {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  /** Whether it asks for a WebSocket. */
  readonly isUpgrade?: boolean | undefined
  /** Whether it has a token, with which a link leads here from anywhere. */
  readonly isOpening?: boolean | undefined
}

/**
 * Why a request does not come from the page, or from a person who opens it; undefined if it does.
 *
 * - `Host` is one of the listener's own names: a foreign name that leads to this machine is one that its owner has made
 *   lead here (DNS rebinding), and its scripts would be of the same origin as the page.
 * - `Origin` is that of the page. What changes something, and what opens a WebSocket, must have it.
 * - `Sec-Fetch-Site`, which scripts cannot set, tells of requests that another site caused. Only a link with a token
 *   may be followed from elsewhere, such as from the file in which `ctr web` gives it to a browser.
 *
 * @param hosts the names of the listener with their port, such as `127.0.0.1:8080`
 */
export function foreignness(
  { method, headers, isUpgrade = false, isOpening = false }: OriginFacts,
  hosts: ReadonlySet<string | undefined>,
): string | undefined {
  const { host, origin, 'sec-fetch-site': site } = headers
  if (host === undefined || !hosts.has(host)) return 'the host is not one of this server'
  const needsOrigin = isUpgrade || (method !== 'GET' && method !== 'HEAD')
  if (origin === undefined ? needsOrigin : origin !== `http://${host}`)
    return 'the origin is not that of the page'
  if (isOpening) return undefined
  if (site !== undefined && site !== 'same-origin' && !(site === 'none' && origin === undefined))
    return 'the request comes from another site'
  return undefined
}
