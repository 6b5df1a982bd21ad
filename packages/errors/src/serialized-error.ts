import type { ErrorCode } from './code.ts'
import { errorCode, isNsboxError, NsboxError } from './nsbox-error.ts'

/** An error as plain data: what structured cloning and JSON keep. */
export interface SerializedError {
  code: ErrorCode
  context: string
  details: Readonly<Record<string, string | number | boolean>>
  stack?: string
}

/** Turns an error into plain data with its code, for a worker or a child process to send. */
export function serializeError(error: unknown): SerializedError {
  const stack = error instanceof Error ? error.stack : undefined
  return {
    code: errorCode(error),
    context: isNsboxError(error) ? error.context : error instanceof Error ? error.message : String(error),
    details: isNsboxError(error) ? error.details : {},
    ...(stack === undefined ? {} : { stack }),
  }
}

/**
 * Turns plain data back into an NsboxError with the same code, context and details, and the sender's stack as its
 * cause.
 */
export function deserializeError(data: SerializedError): NsboxError {
  const cause = data.stack === undefined ? {} : { cause: data.stack }
  return new NsboxError(data.code, data.context, { ...cause, details: data.details })
}
