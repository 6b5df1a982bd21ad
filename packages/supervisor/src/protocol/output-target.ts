import { isAbsolute } from 'node:path'
import { NsboxError } from '@nsbox/errors'

/**
 * A program that reads the output from its descriptors 3 and 4, and signals on its descriptor 5 that it is ready
 * (docs/behaviour.md §7).
 */
export interface LogProgram {
  readonly kind: 'logger'
  readonly program: string
  readonly args: readonly string[]
  /** Whether closing descriptor 5 without a byte also means that it is ready. */
  readonly readyByEnd: boolean
}

/** The target of an output: a FIFO, file or null device that exists; a file that is made; a program; or nothing. */
export type OutputTarget =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string }
  | LogProgram

/**
 * Reads the target of an output: a path, or a URI with the scheme `fifo`, `file`, `binary` or `binary-v2`.
 * @throws `invalid_argument` for everything else
 */
export function outputTarget(value: string): OutputTarget {
  if (value === '') return { kind: 'nothing' }
  if (isAbsolute(value)) return { kind: 'path', path: value }
  const url = URL.canParse(value) ? new URL(value) : undefined
  const path = url === undefined ? '' : decodePath(url.pathname, value)
  if (url === undefined || url.host !== '' || !isAbsolute(path)) refuse(value)
  // `URL` would change the path: it drops line ends, resolves dots and turns backslashes into slashes.
  const [, written = ''] = /^[a-z0-9-]+:\/\/([^?#]*)/i.exec(value) ?? []
  if (decodePath(written, value) !== path) refuse(value)
  switch (url.protocol) {
    case 'fifo:':
      return { kind: 'path', path }
    case 'file:':
      return { kind: 'file', path }
    case 'binary:':
    case 'binary-v2:':
      return {
        kind: 'logger',
        program: path,
        args: [...url.searchParams].flatMap(([name, argument]) =>
          argument === '' ? [name] : [name, argument],
        ),
        readyByEnd: url.protocol === 'binary:',
      }
    default:
      return refuse(value)
  }
}

function decodePath(path: string, value: string): string {
  try {
    const decoded = decodeURIComponent(path)
    if (!decoded.includes('\0')) return decoded
  } catch (error) {
    if (!(error instanceof URIError)) throw error
  }
  return refuse(value)
}

function refuse(value: string): never {
  throw new NsboxError(
    'invalid_argument',
    `output ${JSON.stringify(value)} is no absolute path and no URI with fifo, file, binary or binary-v2`,
  )
}
