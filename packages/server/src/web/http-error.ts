import type { ServerResponse } from 'node:http'
import { type ErrorCode, isNsboxError } from '@nsbox/errors'
import type { Logger } from 'pino'
import { refuse } from './refusals.ts'

/** HTTP statuses of errors; what is not here is the server's fault. */
const statuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  invalid_argument: 400,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  failed_precondition: 409,
  resource_exhausted: 429,
  unimplemented: 501,
  unavailable: 503,
}

/** The status and the text of an error for the page. */
export function toHttpError(error: unknown): { readonly status: number; readonly text: string } {
  if (!isNsboxError(error)) return { status: 500, text: 'the server has failed; its log says how' }
  return { status: statuses[error.code] ?? 500, text: error.context }
}

/** Answers with an error; if an answer has begun, breaks it off. */
export function answerHttpError(response: ServerResponse, error: unknown, log: Logger): void {
  const { status, text } = toHttpError(error)
  log[status === 500 ? 'error' : 'debug']({ err: error, status }, 'a request of the page failed')
  if (response.headersSent) response.destroy()
  else refuse(response, status, text)
}
