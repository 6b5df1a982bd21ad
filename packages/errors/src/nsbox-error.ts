import { type ErrorCode, sentinels } from './code.ts'

const brand = Symbol.for('nsbox.error')

/** What an error may carry besides its code and message. */
export interface NsboxErrorOptions {
  /** The error that led to this one. */
  cause?: unknown
  /**
   * Facts that a caller acts on, such as `{ offset: 4096 }`. Plain data, so that they can be sent to another thread.
   */
  details?: Readonly<Record<string, string | number | boolean>>
}

/**
 * The one error type of nsbox. `message` has the shape `context: sentinel`, for example
 * `content sha256:…: not found`; the sentinel follows from the code and is appended here.
 *
 * Recognise it with `isNsboxError` or a predicate such as `isNotFound`, never with `instanceof`: two copies of
 * this package in one process, or a worker in between, break `instanceof` but not the brand.
 */
export class NsboxError extends Error {
  override readonly name = 'NsboxError'
  readonly code: ErrorCode
  /** The message without its sentinel; empty if the error says nothing beyond its code. */
  readonly context: string
  readonly details: Readonly<Record<string, string | number | boolean>>
  readonly [brand] = true

  constructor(code: ErrorCode, context: string, options: NsboxErrorOptions = {}) {
    super(
      context === '' ? sentinels[code] : `${context}: ${sentinels[code]}`,
      'cause' in options ? { cause: options.cause } : undefined,
    )
    this.code = code
    this.context = context
    this.details = options.details ?? {}
  }
}

/** Whether `value` is an NsboxError, from this copy of the package or another. */
export function isNsboxError(value: unknown): value is NsboxError {
  return typeof value === 'object' && value !== null && (value as { [brand]?: unknown })[brand] === true
}

/**
 * The code that stands for `value`: its own if it is an NsboxError, `canceled` or `deadline_exceeded` for the
 * errors that an AbortSignal raises, `unknown` for everything else.
 */
export function errorCode(value: unknown): ErrorCode {
  if (isNsboxError(value)) return value.code
  if (value instanceof Error && value.name === 'AbortError') return 'canceled'
  if (value instanceof Error && value.name === 'TimeoutError') return 'deadline_exceeded'
  return 'unknown'
}
