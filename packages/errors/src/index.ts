export { type ErrorCode, sentinels } from './code.ts'
export { errorCode, isNsboxError, NsboxError, type NsboxErrorOptions } from './nsbox-error.ts'
export {
  isAborted,
  isAlreadyExists,
  isCanceled,
  isDataLoss,
  isDeadlineExceeded,
  isFailedPrecondition,
  isInternal,
  isInvalidArgument,
  isNotFound,
  isOutOfRange,
  isPermissionDenied,
  isResourceExhausted,
  isUnauthenticated,
  isUnavailable,
  isUnimplemented,
  isUnknown,
} from './predicates.ts'
export { printable, printableLines } from './printable.ts'
export { quoted, shownName } from './quoted.ts'
export { deserializeError, type SerializedError, serializeError } from './serialized-error.ts'
export { fromSystemError, isErrno, withErrorContext } from './system-error.ts'
export { undefinedIf } from './undefined-if.ts'
