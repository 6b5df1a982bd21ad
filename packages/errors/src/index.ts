export { type ErrorCode, sentinels } from './code.ts'
export { errorCode, isNsboxError, NsboxError, type NsboxErrorOptions } from './nsbox-error.ts'
export {
  isAlreadyExists,
  isCanceled,
  isFailedPrecondition,
  isInvalidArgument,
  isNotFound,
  isOutOfRange,
  isResourceExhausted,
  isUnauthenticated,
  isUnavailable,
  isUnimplemented,
} from './predicates.ts'
export { printable, printableLines } from './printable.ts'
export { deserializeError, type SerializedError, serializeError } from './serialized-error.ts'
export { fromSystemError, isErrno } from './system-error.ts'
