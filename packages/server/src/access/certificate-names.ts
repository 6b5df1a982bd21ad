import type { TLSSocket } from 'node:tls'

/**
 * The names that a client's certificate is for, if an authority that the server trusts has issued it: the common name of
 * its subject and the URIs among its other names. Empty if there is none.
 */
export function certificateNames(socket: TLSSocket): string[] {
  if (!socket.authorized) return []
  const { subject } = socket.getPeerCertificate()
  const alternative = socket.getPeerX509Certificate()?.subjectAltName
  // Several common names would be a list.
  const common: unknown = subject?.CN
  return [...(typeof common === 'string' && common !== '' ? [common] : []), ...uris(alternative)]
}

/** Texts that could be read in more than one way are quoted as JSON (Node.js, CVE-2021-44532); none of ours is. */
function uris(alternative: string | undefined): string[] {
  if (alternative === undefined || alternative.includes('"')) return []
  return alternative.split(', ').flatMap((name) => (name.startsWith('URI:') ? [name.slice(4)] : []))
}
