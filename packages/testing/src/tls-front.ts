import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { runOrThrow } from './run.ts'

/** Files of a certificate and of its key, in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/**
 * Makes a self-signed certificate for 127.0.0.1 by the program `openssl`.
 *
 * @param directory of its files
 * @param names of hosts that it is for as well
 */
export async function makeCertificate(
  directory: string,
  names: readonly string[] = [],
): Promise<Certificate> {
  const made = { cert: join(directory, 'front.crt'), key: join(directory, 'front.key') }
  const subjects = ['IP:127.0.0.1', ...names.map((name) => `DNS:${name}`)]
  await runOrThrow('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=front', '-addext', `subjectAltName=${subjects}`],
    ...['-keyout', made.key, '-out', made.cert],
  ])
  return made
}

/** A server that speaks TLS. */
export interface TlsFront extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string
}

/** Where a front leads to, and where it is. */
export interface TlsFrontOptions {
  /** The host to ask, over plain HTTP, for one that a client names in its request; always the same by default. */
  readonly behind?: (named: string) => string
  /** What listens on 127.0.0.1 already, such as in another network namespace; a socket of its own by default. */
  readonly listener?: Server
}

/**
 * Puts TLS before a registry: containerd 1.7 requires it in transfers.
 *
 * @param host of the registry, over plain HTTP
 */
export async function startTlsFront(
  host: string,
  certificate: Certificate,
  { behind = () => host, listener }: TlsFrontOptions = {},
): Promise<TlsFront> {
  const [key, cert] = await Promise.all([readFile(certificate.key), readFile(certificate.cert)])
  const server = createServer({ key, cert }, (incoming, outgoing) => {
    const headers = { ...incoming.headers, 'x-forwarded-proto': 'https' }
    const { method, url: path } = incoming
    const [hostname, port] = behind(headers.host ?? '').split(':')
    const forwarded = request({ hostname, port, method, path, headers }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 500, reply.headers)
      reply.pipe(outgoing)
    })
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  })
  await new Promise<void>((resolve) => {
    if (listener) server.listen(listener, resolve)
    else server.listen(0, '127.0.0.1', resolve)
  })
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
