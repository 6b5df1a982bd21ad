import { Code, ConnectError } from '@connectrpc/connect'

/** The error of a call whose connection has ended. */
export function closedError(cause?: unknown): ConnectError {
  return new ConnectError('ttrpc: closed: unavailable', Code.Unavailable, undefined, undefined, cause)
}
