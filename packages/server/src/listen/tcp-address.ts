import { isIP } from 'node:net'
import { NsboxError, quoted } from '@nsbox/errors'

/** Where to listen. */
export interface TcpAddress {
  readonly host: string
  readonly port: number
}

/** Reads `127.0.0.1:7070`, `[::1]:7070` or `host.example:7070`. @throws `invalid_argument` */
export function parseTcpAddress(text: string): TcpAddress {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  const isHost = bracketed === undefined || isIP(bracketed) === 6
  if (host !== undefined && isHost && Number(port) <= 65_535) return { host, port: Number(port) }
  throw new NsboxError('invalid_argument', `TCP address ${quoted(text)}, must have the form host:port`)
}
