import { isAbsolute } from 'node:path'
import { NsboxError } from '@nsbox/errors'

/** A program that takes the output, and how it says that it is ready to (docs/behaviour.md §7). */
export interface LoggerTarget {
  readonly kind: 'logger'
  readonly program: string
  readonly args: readonly string[]
  /** Whether the end of the descriptor that it is to write to, without a byte, says that it is ready too. */
  readonly readyByEnd: boolean
}

/** Where output goes: a FIFO, file or null device that exists; a file that is made; a program; or nowhere. */
export type OutputTarget =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string }
  | LoggerTarget

/**
 * Reads what a client has given for an output: a path, or a URI with the scheme `fifo`, `file`, `binary` or `binary-v2`.
 * @throws `invalid_argument` for everything else
 */
export function outputTarget(value: string): OutputTarget {
  if (value === '') return { kind: 'nothing' }
  if (isAbsolute(value)) return { kind: 'path', path: value }
  const url = URL.canParse(value) ? new URL(value) : undefined
  const path = url === undefined ? '' : decodePath(url.pathname, value)
  if (url === undefined || url.host !== '' || !isAbsolute(path)) refuse(value)
  // A URL's reader leaves out line ends, resolves dots and takes a backslash for a slash: another path than is written.
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
