import { realpath } from 'node:fs/promises'
import { ConnectError } from '@connectrpc/connect'
import { isNsboxError, NsboxError } from '@nsbox/errors'

/** These directories, also by their real paths. */
export async function withRealPaths(directories: readonly string[]): Promise<string[]> {
  return [...new Set([...directories, ...(await Promise.all(directories.map((each) => realpath(each))))])]
}

/** The same error, without paths below these directories. */
export function withoutPaths(error: unknown, directories: readonly string[]): unknown {
  const hide = (text: string) => directories.reduce(hideIn, text)
  if (isNsboxError(error)) {
    const details = Object.fromEntries(
      Object.entries(error.details).map(([name, value]) => [
        name,
        typeof value === 'string' ? hide(value) : value,
      ]),
    )
    return new NsboxError(error.code, hide(error.context), { cause: error, details })
  }
  if (!(error instanceof Error)) return error
  const { message } = error
  if (hide(message) === message) return error
  if (error instanceof ConnectError)
    return new ConnectError(hide(error.rawMessage), error.code, error.metadata, undefined, error)
  return new NsboxError('unknown', hide(message), { cause: error })
}

/** A path ends at the first character that names of the server's files do not have. */
function hideIn(text: string, directory: string): string {
  const [before, ...pieces] = text.split(directory)
  return [before, ...pieces.map((piece) => `…${piece.replace(/^[^\s"',;:)]*/, '')}`)].join('')
}
