import { Code } from '@connectrpc/connect'
import { toConnectError } from '@nsbox/api'

/** The name of a status as a value of the label `code`: `OK` or, as in Go's gRPC, `NotFound`. */
export function codeName(code: Code | undefined): string {
  return code === undefined ? 'OK' : Code[code]
}

/** The status of an error that is thrown. */
export function codeOf(error: unknown): Code {
  return toConnectError(error).code
}
