import { errorCode } from './nsbox-error.ts'

/** Whether an error means that something does not exist. */
export const isNotFound = (error: unknown): boolean => errorCode(error) === 'not_found'

/** Whether an error means that something exists already. */
export const isAlreadyExists = (error: unknown): boolean => errorCode(error) === 'already_exists'

/** Whether an error means that an argument is wrong, whatever the state of the system. */
export const isInvalidArgument = (error: unknown): boolean => errorCode(error) === 'invalid_argument'

/** Whether an error means that the system is not in the state that the operation needs. */
export const isFailedPrecondition = (error: unknown): boolean => errorCode(error) === 'failed_precondition'

/** Whether an error means that a service or resource is busy or away. The call may be tried again. */
export const isUnavailable = (error: unknown): boolean => errorCode(error) === 'unavailable'

/** Whether an error means that an offset or range lies outside of the content. */
export const isOutOfRange = (error: unknown): boolean => errorCode(error) === 'out_of_range'

/** Whether an error means that the operation is not implemented here. */
export const isUnimplemented = (error: unknown): boolean => errorCode(error) === 'unimplemented'

/** Whether an error means that the caller gave up, by an AbortSignal or by closing a stream. */
export const isCanceled = (error: unknown): boolean => errorCode(error) === 'canceled'

/** Whether an error means that credentials are missing or were refused. */
export const isUnauthenticated = (error: unknown): boolean => errorCode(error) === 'unauthenticated'

/** Whether an error means that a disk, quota, limit or memory is used up. */
export const isResourceExhausted = (error: unknown): boolean => errorCode(error) === 'resource_exhausted'

/** Whether an error says that the time that the caller gave has passed. */
export const isDeadlineExceeded = (error: unknown): boolean => errorCode(error) === 'deadline_exceeded'

/** Whether an error says that the caller may not do this. */
export const isPermissionDenied = (error: unknown): boolean => errorCode(error) === 'permission_denied'

/** Whether an error says that the operation gave way to another one. */
export const isAborted = (error: unknown): boolean => errorCode(error) === 'aborted'

/** Whether an error says that something is wrong in the program itself. */
export const isInternal = (error: unknown): boolean => errorCode(error) === 'internal'

/** Whether an error says that what was kept is damaged or lost. */
export const isDataLoss = (error: unknown): boolean => errorCode(error) === 'data_loss'

/** Whether an error has no code that says more, as all have that are not nsbox's. */
export const isUnknown = (error: unknown): boolean => errorCode(error) === 'unknown'
