import { BlockList, isIP } from 'node:net'
import { NsboxError, quoted } from '@nsbox/errors'
import { parseTcpAddress, type TcpAddress } from '../listen/tcp-address.ts'

/** Addresses that only this machine reaches (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). */
const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Whether an IP address is reached from this machine only. */
export function isLoopback(address: string): boolean {
  return isIP(address) !== 0 && loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/**
 * Reads `127.0.0.1:8080`, `[::1]:0` or `localhost:0`.
 *
 * @throws `invalid_argument` for anything that others than this machine might reach
 */
export function parseLoopbackAddress(text: string): TcpAddress {
  const address = parseTcpAddress(text)
  if (address.host === 'localhost' || isLoopback(address.host)) return address
  throw new NsboxError(
    'invalid_argument',
    `the page is served on loopback addresses such as 127.0.0.1:0 only, not on ${quoted(text)}`,
  )
}

/** How an address and a port stand in a URL. */
export function hostAndPort(address: string, port: number): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`
}
