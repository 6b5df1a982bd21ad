import { setTimeout as delay } from 'node:timers/promises'
import type { AbortOptions } from '@nsbox/core/content'
import { isNsboxError } from '@nsbox/errors'
import type { RegistryLimits } from '../limits.ts'

type RetryLimits = Pick<RegistryLimits, 'attempts' | 'retryDelay' | 'maxRetryDelay'>

/** Whether an error is transient, so that another try may succeed: connection errors, 408, 429 and most of 5xx. */
export function isTransient(error: unknown): boolean {
  return isNsboxError(error) && error.details.transient === true
}

/**
 * Waits before another try: exponential backoff, with jitter over the upper half so that many clients do not come back
 * at once. Heeds `Retry-After`, within bounds.
 *
 * @param failures how many tries have failed so far, at least 1
 */
export async function backOff(
  error: unknown,
  failures: number,
  { retryDelay, maxRetryDelay }: RetryLimits,
  { signal }: AbortOptions = {},
): Promise<void> {
  const doubled = Math.min(retryDelay * 2 ** (failures - 1), maxRetryDelay)
  const jittered = doubled * (0.5 + Math.random() / 2)
  const asked = isNsboxError(error) ? Number(error.details.retryAfter ?? 0) : 0
  await delay(Math.min(Math.max(jittered, asked), maxRetryDelay), undefined, signal ? { signal } : {}).catch(
    () => signal?.throwIfAborted(),
  )
}

/** Retries an idempotent operation until it succeeds, fails with a lasting error, or `attempts` tries have failed. */
export async function retryWithBackoff<T>(
  attempt: () => Promise<T>,
  limits: RetryLimits,
  { signal }: AbortOptions = {},
): Promise<T> {
  for (let failures = 1; ; failures++) {
    signal?.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      signal?.throwIfAborted()
      if (!isTransient(error) || failures >= limits.attempts) throw error
      await backOff(error, failures, limits, { signal })
    }
  }
}
