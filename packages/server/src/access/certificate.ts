import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** What a client's certificate says. */
export interface ClientCertificate {
  /** Whom it is for: the common name of its subject, and the URIs among its other names. None without a certificate. */
  readonly names: readonly string[]
  /** Why it does not count, if it does not. */
  readonly refusal?: string | undefined
}

/** The certificate of whoever is at the other end of a connection, which has been checked against the authorities. */
export function certificateOf(socket: Socket): ClientCertificate {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  if (certificate === undefined) return { names: [] }
  const { authorized, authorizationError } = socket as TLSSocket
  if (!authorized) return { names: [], refusal: String(authorizationError) }
  // A text that could be read in more than one way has quotes (Node.js, CVE-2021-44532).
  const [subject = '', others = ''] = [certificate.subject, certificate.subjectAltName].map((text) =>
    text?.includes('"') ? '' : text,
  )
  const common = subject.split('\n').filter((line) => line.startsWith('CN='))
  const uris = others.split(', ').filter((name) => name.startsWith('URI:'))
  // Of two common names, neither is the one.
  return {
    names: [...(common.length === 1 ? [common[0]!.slice(3)] : []), ...uris.map((name) => name.slice(4))],
  }
}
