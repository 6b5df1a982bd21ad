import { Code, type ConnectError } from '@connectrpc/connect'
import { isNsboxError } from '@nsbox/errors'

/** How a call that failed is logged. */
export type FailureLevel = 'error' | 'warn' | 'debug'

/**
 * At which level the end of a call is logged that failed, by what its client was told. Only what the server itself does
 * wrong is an error. Bytes that are not what they should be may be the client's as well as the disk's. An `unknown`
 * that was chosen tells the words of another program, such as runc's about a container that cannot run; any other is an
 * exception that nobody has foreseen.
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
