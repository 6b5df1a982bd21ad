import { NsboxError, quoted } from '@nsbox/errors'
import * as v from 'valibot'

/** The most bytes of a shim's output at its start, and of its file `address`. */
export const maxBootstrapBytes = 64 * 1024

/** How to connect to a shim, as it prints at its start. */
export interface Bootstrap {
  /** The version of its task service. */
  readonly version: 2 | 3
  /** Path of its socket; one in the abstract namespace begins with a zero byte. */
  readonly path: string
}

const schema = v.object({
  version: v.number(),
  address: v.pipe(v.string(), v.minLength(1)),
  protocol: v.string(),
})

const unix = 'unix://'

/**
 * Reads a shim's output at its start, or the file `address` of its bundle: an address, or JSON with version, address
 * and protocol (versions 2 and 3 of containerd's runtime protocol).
 *
 * @throws `unimplemented` for unknown versions and protocols; `unavailable` for anything but an address
 */
export function parseBootstrap(text: string): Bootstrap {
  const line = text.trim()
  const { version, address, protocol } = parameters(line) ?? { version: 2, address: line, protocol: 'ttrpc' }
  if (version !== 2 && version !== 3)
    throw new NsboxError('unimplemented', `a shim of version ${version}, known are 2 and 3`)
  if (protocol.toLowerCase() !== 'ttrpc')
    throw new NsboxError('unimplemented', `a shim that speaks ${quoted(protocol)}, known is ttrpc`)
  return { version, path: socketPath(address) }
}

/** Undefined for other text, such as a bare address. */
function parameters(line: string): v.InferOutput<typeof schema> | undefined {
  try {
    return v.parse(schema, JSON.parse(line))
  } catch {
    return undefined
  }
}

/** The longest address of a socket in bytes (unix(7)). */
const maxPath = 107

function socketPath(address: string): string {
  const path = address.startsWith(unix) ? address.slice(unix.length) : `\0${address}`
  const isPath = path.startsWith('\0') ? path.length > 1 : path.startsWith('/') && !path.includes('\0')
  const isPrintable = !/[\p{Cc}\p{Cs}]/u.test(path.slice(1))
  if (isPath && isPrintable && Buffer.byteLength(path) <= maxPath) return path
  throw new NsboxError('unavailable', `a shim said ${quoted(address)}, which is no address`)
}
