import { Code, type ConnectError } from '@connectrpc/connect'
import { isNsboxError } from '@nsbox/errors'

/** The log level for a failed call. */
export type FailureLevel = 'error' | 'warn' | 'debug'

/**
 * The log level for the end of a failed call, by the client's status. Only faults of the server are errors. Bad bytes
 * may be the fault of the client or of the disk. An `unknown` that code chose has the message of another program, such
 * as runc's about a container that cannot run; any other is an unexpected exception.
 */
export function failureLevel({ code, cause }: ConnectError): FailureLevel {
  switch (code) {
    case Code.Internal:
      return 'error'
    case Code.DataLoss:
      return 'warn'
    case Code.Unknown:
      return isNsboxError(cause) ? 'debug' : 'error'
    default:
      return 'debug'
  }
}
