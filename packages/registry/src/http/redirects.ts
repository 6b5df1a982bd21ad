import { NsboxError } from '@nsbox/errors'
import { isInward, isLoopback } from '../hosts/loopback.ts'
import { discard, type Exchange, type Reply, type Send, singleHeader } from './exchange.ts'
import { pick } from './header-fields.ts'
import { redactUrl } from './redact.ts'
import { withoutClient } from './tls-settings.ts'

const maxRedirects = 10
const statuses = new Set([301, 302, 303, 307, 308])
/** Headers that another origin may get. */
const portable = ['accept', 'accept-encoding', 'range', 'user-agent']

/**
 * Sends a GET or HEAD and follows where it leads. Once the origin has changed, credentials, configured headers and
 * client certificates stay behind, for all further steps (docs/threat-model.md B08, C01).
 *
 * @throws `failed_precondition` for more than 10 redirects, from https to http, or from elsewhere to this machine or
 * another inward address, by whatever name; `invalid_argument` for an invalid location
 */
export async function followRedirects(send: Send, exchange: Exchange): Promise<Reply> {
  let current = exchange
  for (let count = 0; ; count++) {
    const reply = await send(current)
    if (!statuses.has(reply.status)) return reply
    const location = singleHeader(reply, 'location')
    await discard(reply)
    const context = `${exchange.method} ${reply.address}`
    if (count === maxRedirects)
      throw new NsboxError('failed_precondition', `${context}: more than ${maxRedirects} redirects`)
    current = redirected(current, location, context, reply)
  }
}

function redirected(
  from: Exchange,
  location: string | undefined,
  context: string,
  { secrets }: Reply,
): Exchange {
  const url =
    location !== undefined && URL.canParse(location, from.url.href) ? new URL(location, from.url) : null
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new NsboxError('invalid_argument', `${context}: redirect to nowhere`)
  url.username = ''
  url.password = ''
  const refuse = (why: string) =>
    new NsboxError(
      'failed_precondition',
      `${context}: redirect to ${redactUrl(url, secrets)} refused, ${why}`,
    )
  if (from.url.protocol === 'https:' && url.protocol === 'http:') throw refuse('it is not encrypted')
  if (isInward(url.hostname) && !isLoopback(from.url.hostname) && url.hostname !== from.url.hostname)
    throw refuse('it leads inside')
  const namedBy = from.url.origin
  if (url.origin === namedBy) return { ...from, url, namedBy }
  return { ...from, url, namedBy, headers: pick(from.headers, portable), tls: withoutClient(from.tls) }
}
