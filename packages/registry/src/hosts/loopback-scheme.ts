import { connect } from 'node:tls'
import { onAbort } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import { checkedLookup } from '../http/checked-lookup.ts'
import { isTlsError } from '../http/network-error.ts'

/** Milliseconds that a server on this machine may take for a TLS handshake before it counts as one without TLS. */
const handshakeTimeout = 3_000

/**
 * Finds out the scheme of a registry on this machine by a TLS handshake, in which nothing secret is sent. Only for
 * loopback addresses: elsewhere a failed handshake must not lead to plain http (docs/threat-model.md C07).
 *
 * @returns undefined if nothing accepts connections there
 */
export async function loopbackScheme(
  hostname: string,
  port: number,
  { signal }: AbortOptions = {},
): Promise<'https' | 'http' | undefined> {
  signal?.throwIfAborted()
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const lookup = checkedLookup()
  const socket = connect({ host, port, lookup, rejectUnauthorized: false, timeout: handshakeTimeout })
  using _aborting = onAbort(signal, () => socket.destroy())
  try {
    return await new Promise((resolve, reject) => {
      let connected = false
      socket.once('connect', () => {
        connected = true
      })
      socket.once('secureConnect', () => resolve('https'))
      socket.once('timeout', () => resolve(connected ? 'http' : undefined))
      socket.on('error', (error: NodeJS.ErrnoException) => {
        // A server without TLS answers in plain text or closes the connection.
        resolve(connected || isTlsError(error.code ?? '') ? 'http' : undefined)
      })
      socket.once('close', () => (signal?.aborted ? reject(signal.reason) : resolve(undefined)))
    })
  } finally {
    socket.destroy()
  }
}
