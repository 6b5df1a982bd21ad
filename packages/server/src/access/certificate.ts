import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** The identity in a client's certificate. */
export interface ClientCertificate {
  /** The common name of its subject, and the URIs among its alternative names. Empty without a certificate. */
  readonly names: readonly string[]
  /** Why it is not accepted, if it is not. */
  readonly refusal?: string | undefined
}

/** The certificate of a connection's peer, which has been verified against the authorities. */
export function certificateOf(socket: Socket): ClientCertificate {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  if (certificate === undefined) return { names: [] }
  const { authorized, authorizationError } = socket as TLSSocket
  if (!authorized) return { names: [], refusal: String(authorizationError) }
  // Node.js quotes names that would be ambiguous otherwise (CVE-2021-44532).
  const [subject = '', others = ''] = [certificate.subject, certificate.subjectAltName].map((text) =>
    text?.includes('"') ? '' : text,
  )
  const common = subject.split('\n').filter((line) => line.startsWith('CN='))
  const uris = others.split(', ').filter((name) => name.startsWith('URI:'))
  // With two common names it is ambiguous.
  return {
    names: [...(common.length === 1 ? [common[0]!.slice(3)] : []), ...uris.map((name) => name.slice(4))],
  }
}
