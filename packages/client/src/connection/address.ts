import { join } from 'node:path'
import { NsboxError } from '@nsbox/errors'
import { directoriesUser } from './directories-user.ts'

/** The environment variable that names the socket of a client's server. */
const addressVariable = 'CONTAINERD_ADDRESS'

type Environment = Readonly<Record<string, string | undefined>>

/** Where the server of root listens by default. */
export const systemAddress = '/run/nsbox/nsbox.sock'

/**
 * Where a server of nsbox listens by default: `/run/nsbox/nsbox.sock` for root, `$XDG_RUNTIME_DIR/nsbox/nsbox.sock` for
 * other users.
 */
export function defaultAddress(env: Environment = process.env): string {
  const uid = directoriesUser()
  if (uid === 0) return systemAddress
  return join(env.XDG_RUNTIME_DIR || `/run/user/${uid}`, 'nsbox', 'nsbox.sock')
}

/** The address that the environment asks for, or the default one. */
export function addressFromEnvironment(env: Environment = process.env): string {
  return env[addressVariable] || defaultAddress(env)
}

/**
 * The path of the socket that an address names: a path, `unix:///path` or `unix:path`.
 * @throws `invalid_argument` for an empty address or another scheme
 */
export function socketPath(address: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):(\/\/)?/i.exec(address)
  const path = scheme?.[1]?.toLowerCase() === 'unix' ? address.slice(scheme[0].length) : address
  if (path === '' || path.includes('\0') || (path === address && scheme?.[2] !== undefined)) {
    throw new NsboxError(
      'invalid_argument',
      `address ${JSON.stringify(address)} is neither the path of a socket nor of the form unix:///path`,
    )
  }
  return path
}
