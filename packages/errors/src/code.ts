/**
 * The canonical status codes of gRPC, in snake case, without `ok`. Every error that crosses a boundary of
 * nsbox carries exactly one of them.
 */
export type ErrorCode =
  | 'canceled'
  | 'unknown'
  | 'invalid_argument'
  | 'deadline_exceeded'
  | 'not_found'
  | 'already_exists'
  | 'permission_denied'
  | 'resource_exhausted'
  | 'failed_precondition'
  | 'aborted'
  | 'out_of_range'
  | 'unimplemented'
  | 'internal'
  | 'unavailable'
  | 'data_loss'
  | 'unauthenticated'

/**
 * The sentinel text that ends an error's message. Clients of containerd recognise and strip exactly these
 * (docs/behaviour.md §1).
 */
export const sentinels: Readonly<Record<ErrorCode, string>> = {
  canceled: 'context canceled',
  unknown: 'unknown',
  invalid_argument: 'invalid argument',
  deadline_exceeded: 'context deadline exceeded',
  not_found: 'not found',
  already_exists: 'already exists',
  permission_denied: 'permission denied',
  resource_exhausted: 'resource exhausted',
  failed_precondition: 'failed precondition',
  aborted: 'aborted',
  out_of_range: 'out of range',
  unimplemented: 'not implemented',
  internal: 'internal',
  unavailable: 'unavailable',
  data_loss: 'data loss',
  unauthenticated: 'unauthorized',
}
