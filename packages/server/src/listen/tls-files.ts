import { constants, X509Certificate } from 'node:crypto'
import { createSecureContext, type TlsOptions } from 'node:tls'
import { NsboxError } from '@nsbox/errors'
import { ownFile, readBoundedFile } from '../configuration/bounded-file.ts'

/** Files in PEM. */
export interface TlsFiles {
  /** The server's certificate and its chain. */
  readonly certificate: string
  readonly key: string
  /** Authorities of client certificates; without them certificates are not accepted. */
  readonly clientCa?: string | undefined
}

/** Milliseconds. */
const handshakeTimeout = 10_000

/**
 * Reads the TLS settings: version 1.3 only.
 *
 * @throws `invalid_argument` for malformed files, or a key of another certificate; `permission_denied` for a key that
 * everybody may read, or a file that others can write to; `not_found`
 */
export async function readTlsFiles({ certificate, key, clientCa }: TlsFiles): Promise<TlsOptions> {
  const [certText, keyText, caText] = await Promise.all([
    read(certificate, 'TLS certificate'),
    read(key, 'TLS key', 0o007),
    clientCa === undefined ? undefined : read(clientCa, 'client authorities'),
  ])
  const options: TlsOptions = {
    cert: certText,
    key: keyText,
    ...(caText === undefined ? {} : { ca: caText }),
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout,
    requestCert: caText !== undefined,
    // A client without a certificate may have a token. An invalid certificate is reported at each call.
    rejectUnauthorized: false,
    // No session resumption: a certificate that was verified before may have expired or its authority been removed.
    secureOptions: constants.SSL_OP_NO_TICKET,
  }
  try {
    createSecureContext(options)
    if (caText !== undefined) new X509Certificate(caText)
  } catch (cause) {
    throw new NsboxError('invalid_argument', `TLS with certificate ${certificate} and key ${key}`, { cause })
  }
  return options
}

async function read(path: string, what: string, unreadable = 0): Promise<string> {
  const name = `${what} ${path}`
  const accept = ownFile(name)
  return await readBoundedFile(path, name, (file) => {
    accept(file)
    if ((file.mode & unreadable) !== 0)
      throw new NsboxError('permission_denied', `${name}: everybody may read it`)
  })
}
