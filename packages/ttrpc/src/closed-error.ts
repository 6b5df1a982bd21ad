import { Code, ConnectError } from '@connectrpc/connect'

/** What a call fails with whose connection has ended. */
export function closedError(cause?: unknown): ConnectError {
  return new ConnectError('ttrpc: closed: unavailable', Code.Unavailable, undefined, undefined, cause)
}
