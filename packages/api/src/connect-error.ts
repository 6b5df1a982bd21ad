import { Code, ConnectError } from '@connectrpc/connect'
import { type ErrorCode, errorCode, isNsboxError, NsboxError, sentinels } from '@nsbox/errors'
import { detailsHeader, readDetails, writeDetails } from './error-details.ts'

/** The two vocabularies are the canonical gRPC codes, one to one. */
const connectCodes: Readonly<Record<ErrorCode, Code>> = {
  canceled: Code.Canceled,
  unknown: Code.Unknown,
  invalid_argument: Code.InvalidArgument,
  deadline_exceeded: Code.DeadlineExceeded,
  not_found: Code.NotFound,
  already_exists: Code.AlreadyExists,
  permission_denied: Code.PermissionDenied,
  resource_exhausted: Code.ResourceExhausted,
  failed_precondition: Code.FailedPrecondition,
  aborted: Code.Aborted,
  out_of_range: Code.OutOfRange,
  unimplemented: Code.Unimplemented,
  internal: Code.Internal,
  unavailable: Code.Unavailable,
  data_loss: Code.DataLoss,
  unauthenticated: Code.Unauthenticated,
}

const errorCodes: ReadonlyMap<Code, ErrorCode> = new Map(
  (Object.keys(connectCodes) as ErrorCode[]).map((code) => [connectCodes[code], code]),
)

/**
 * Longest context sent, in UTF-16 units. A message travels percent-encoded in the trailers, nine bytes to a
 * unit at worst, and peers reset streams whose header block passes 64 KiB: the error would be lost as a whole.
 */
const maxContext = 4096

/**
 * The ConnectError that a server sends for a thrown value.
 *
 * - An NsboxError: its code, its message `context: sentinel`, and its details in a trailer that other clients ignore.
 * - An AbortError or TimeoutError: canceled or deadline exceeded, in the same shape.
 * - A ConnectError: itself.
 * - Anything else: unknown, with its message.
 *
 * A context longer than 4096 characters is cut, before the sentinel.
 */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error
  const code = errorCode(error)
  const details = isNsboxError(error) ? writeDetails(error.details) : undefined
  return new ConnectError(
    wireMessage(error, code),
    connectCodes[code],
    details === undefined ? undefined : { [detailsHeader]: details },
    undefined,
    error,
  )
}

/**
 * The error that a client throws when a call fails: an NsboxError with the code, the context and, from a server of
 * nsbox, the details. An NsboxError is returned as it is; any other error becomes the cause.
 */
export function fromConnectError(error: unknown): NsboxError {
  if (isNsboxError(error)) return error
  if (!(error instanceof ConnectError)) {
    const code = errorCode(error)
    return new NsboxError(code, withoutSentinel(messageOf(error), code), { cause: error })
  }
  const code = errorCodes.get(error.code) ?? 'unknown'
  return new NsboxError(code, withoutSentinel(error.rawMessage, code), {
    cause: error,
    details: readDetails(error.metadata.get(detailsHeader)),
  })
}

function wireMessage(error: unknown, code: ErrorCode): string {
  const message = isNsboxError(error) ? error.context : messageOf(error)
  const context = cut(message)
  if (!isNsboxError(error) && code === 'unknown') return context
  return context === '' ? sentinels[code] : `${context}: ${sentinels[code]}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}

/** Lone surrogates would make the percent-encoding throw; text that was cut elsewhere may end in one. */
function cut(text: string): string {
  const short = text.length <= maxContext ? text : `${text.slice(0, maxContext - 1)}…`
  return short.replace(/\p{Surrogate}/gu, '\u{fffd}')
}

function withoutSentinel(message: string, code: ErrorCode): string {
  const sentinel = sentinels[code]
  if (message === sentinel) return ''
  return message.endsWith(`: ${sentinel}`) ? message.slice(0, -sentinel.length - 2) : message
}
