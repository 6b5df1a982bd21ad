import { createConnection, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { NsboxError } from '@nsbox/errors'
import { socketPath } from './address.ts'

/** Trusted authorities and the client's own certificate and key, over TCP; in PEM. */
export interface ClientTls {
  /** Authorities that issue the server's certificate; those of the system by default. */
  readonly ca?: string | undefined
  /** The client's own certificate; `key` is its key. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** The address of a server, and how to connect to it. */
export interface Endpoint {
  /** The `:authority` of a call, which servers on unix sockets ignore. */
  readonly authority: string
  open(): Socket
}

/** How often a silent TCP connection, which can die unnoticed, is probed, in milliseconds. */
const keepAlive = 30_000

/**
 * Parses an address: the path of a socket, `unix:///path`, or `tcp://host:port` for TLS 1.3.
 * @throws `invalid_argument` for another address, and for TLS or a token with a socket
 */
export function endpointOf(
  address: string,
  { tls, token }: { readonly tls?: ClientTls | undefined; readonly token?: string | undefined },
): Endpoint {
  const [, bracketed, plain, port] =
    /^tcp:\/\/(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):([0-9]{1,5})$/i.exec(address) ?? []
  const host = bracketed ?? plain
  if (host === undefined) {
    const path = socketPath(address)
    if (tls !== undefined || token !== undefined)
      throw new NsboxError('invalid_argument', `TLS or a token for the socket ${JSON.stringify(address)}`)
    return { authority: 'http://localhost', open: () => createConnection({ path }) }
  }
  return {
    authority: `https://${bracketed === undefined ? host : `[${host}]`}:${port}`,
    open() {
      const socket = connectTls({
        ...{ host, port: Number(port), ALPNProtocols: ['h2'], minVersion: 'TLSv1.3' },
        ...(isIP(host) === 0 && { servername: host }),
        ...(tls?.ca !== undefined && { ca: tls.ca }),
        ...(tls?.cert !== undefined && { cert: tls.cert }),
        ...(tls?.key !== undefined && { key: tls.key }),
      })
      return socket.setKeepAlive(true, keepAlive)
    },
  }
}
