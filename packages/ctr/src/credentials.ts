import { readFile } from 'node:fs/promises'
import type { ConnectOptions } from '@nsbox/client'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import type { GlobalOptions } from './global-options.ts'

/** The most bytes of one file. */
const maxBytes = 1 << 20

/**
 * The credentials for a server over TCP. Secrets come from files, since all users can see command lines.
 * @throws `not_found`, `permission_denied`; `invalid_argument` for a certificate without its key
 */
export async function credentials(options: GlobalOptions): Promise<Pick<ConnectOptions, 'tls' | 'token'>> {
  const { tlsCa, tlsCert, tlsKey, tokenFile } = options
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new NsboxError('invalid_argument', '--tls-cert and --tls-key go together')
  const [ca, cert, key, token] = await Promise.all([tlsCa, tlsCert, tlsKey, tokenFile].map(read))
  return {
    ...((ca ?? cert) !== undefined && { tls: { ca, cert, key } }),
    ...(token !== undefined && { token: token.trim() }),
  }
}

async function read(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    const text = await readFile(path, 'utf8')
    if (text.length <= maxBytes) return text
  } catch (error) {
    throw fromSystemError(error, path)
  }
  throw new NsboxError('invalid_argument', `${path}: larger than ${maxBytes} bytes`)
}
