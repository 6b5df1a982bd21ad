import { once } from 'node:events'
import { type AddressInfo, BlockList, isIP, type Server } from 'node:net'
import { fromSystemError, NsboxError, quoted } from '@nsbox/errors'
import { parseTcpAddress, type TcpAddress } from './tcp-address.ts'

/** Addresses that only this machine reaches (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). */
const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Where a server listens. */
export interface BoundLoopback {
  readonly port: number
  /** Its name in URLs, such as `127.0.0.1:8080` or `[::1]:8080`. */
  readonly host: string
  /** The names by which clients may ask for it; others are names that were made to lead here. */
  readonly hosts: ReadonlySet<string | undefined>
}

/**
 * Reads `127.0.0.1:8080`, `[::1]:0` or `localhost:0`; `what` names the address in errors.
 *
 * @throws `invalid_argument` for anything that others than this machine might reach
 */
export function parseLoopbackAddress(text: string, what: string): TcpAddress {
  const address = parseTcpAddress(text)
  if (address.host === 'localhost' || isLoopback(address.host)) return address
  throw elsewhere(text, what)
}

/** Listens on a loopback address. @throws as `parseLoopbackAddress`; the errors of binding */
export async function listenOnLoopback(server: Server, text: string, what: string): Promise<BoundLoopback> {
  const { host, port } = parseLoopbackAddress(text, what)
  try {
    const listening = once(server, 'listening')
    server.listen({ host, port })
    await listening
  } catch (error) {
    throw fromSystemError(error, `${what} ${quoted(text)}`)
  }
  const bound = server.address() as AddressInfo
  if (!isLoopback(bound.address)) {
    // The name `localhost` is resolved by the host's resolver, which may say anything.
    server.close()
    throw elsewhere(text, what)
  }
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  const shown = `${name}:${bound.port}`
  return { port: bound.port, host: shown, hosts: new Set([shown, `localhost:${bound.port}`]) }
}

function isLoopback(host: string): boolean {
  const family = isIP(host)
  return family !== 0 && loopback.check(host, family === 6 ? 'ipv6' : 'ipv4')
}

function elsewhere(text: string, what: string): NsboxError {
  return new NsboxError('invalid_argument', `${what} ${quoted(text)}: must be a loopback address`)
}
