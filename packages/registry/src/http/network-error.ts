import { isNsboxError, NsboxError } from '@nsbox/errors'
import { type Hiding, remoteText } from './redact.ts'

/** Transient failures of the network. Names that do not resolve are not among them. */
const transient = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_SOCKET',
])

/**
 * Gives an error of undici or the system its code.
 *
 * @param context the request, already redacted
 * @param error what was thrown, unless it comes from the caller's signal
 * @param secrets to remove from what the error quotes, such as names in a certificate
 * @returns errors with a code unchanged; `failed_precondition` for TLS, a body of another length than announced and a
 * refused address, `invalid_argument` for a head that is too long, otherwise `unavailable`
 */
export function networkError(error: unknown, context: string, secrets?: Hiding): unknown {
  if (isNsboxError(error) || !(error instanceof Error)) return error
  // The HTTP parser does not always name the rule that was broken.
  const code = (error as NodeJS.ErrnoException).code ?? (error.name === 'HTTPParserError' ? 'HPE' : undefined)
  if (typeof code !== 'string') return error
  const wrap = (kind: 'unavailable' | 'failed_precondition' | 'invalid_argument', said: string) =>
    new NsboxError(kind, `${context}: ${remoteText(said, secrets)}`, {
      // The parser's error has the bytes that it could not read.
      ...(!('data' in error) && remoteText(said, secrets) === said && { cause: error }),
      details: { errno: code, ...(kind === 'unavailable' && transient.has(code) && { transient: true }) },
    })
  if (code === 'ERR_REFUSED_ADDRESS') return wrap('failed_precondition', firstMessage(error))
  if (code === 'ENOTFOUND') return wrap('unavailable', 'no such host')
  if (isTlsError(code)) return wrap('failed_precondition', `TLS: ${firstMessage(error)}`)
  if (code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH')
    return wrap('failed_precondition', 'what was read to be sent has another size than announced')
  if (code === 'UND_ERR_HEADERS_OVERFLOW')
    return wrap('invalid_argument', 'the head of the reply is too long')
  return wrap('unavailable', firstMessage(error))
}

/** Codes of TLS: of its handshake, and of certificates that are not trusted. */
const tlsCodes = [
  ...['EPROTO$', 'ERR_TLS_', 'ERR_SSL_', 'ERR_OSSL_', 'CERT_', 'CRL_', 'UNABLE_TO_', 'SELF_SIGNED_'],
  ...['DEPTH_ZERO_', 'INVALID_', 'PATH_LENGTH_', 'HOSTNAME_MISMATCH'],
]
const tlsCode = new RegExp(`^(?:${tlsCodes.join('|')})`)

/** Whether the failure is one of TLS: its handshake, or a certificate that is not trusted. */
export function isTlsError(code: string): boolean {
  return tlsCode.test(code)
}

/** If connecting to several addresses fails, only the parts of the error have messages. */
function firstMessage(error: Error): string {
  const first = error instanceof AggregateError ? error.errors[0] : error
  return (first instanceof Error ? first.message : '') || error.message || error.name
}
