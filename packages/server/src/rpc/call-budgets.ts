import { ByteQuota } from './byte-quota.ts'

/**
 * Budgets for the memory of calls, by connection. A call that waits for one of them may hold bytes of those before it,
 * never of those after it, so there is no deadlock.
 */
export interface CallBudgets {
  /** Received bytes, and those that may come at any time. */
  readonly arriving: ByteQuota
  /** Large requests, while they are received and until their calls end. */
  readonly requests: ByteQuota
  /** Decoded requests. */
  readonly decoded: ByteQuota
  /** Answers that the client has not read. */
  readonly answers: ByteQuota
}

/**
 * The budgets of a server: of each kind 32 MiB for one connection and 50 MiB for all, of which 10 are reserved for
 * connections that hold at most 5.
 */
export function callBudgets(): CallBudgets {
  const limits = { perOwner: 32 << 20, total: 40 << 20 }
  return {
    arriving: new ByteQuota({ name: 'unfinished requests', ...limits }),
    requests: new ByteQuota({ name: 'requests', ...limits }),
    decoded: new ByteQuota({ name: 'decoded requests', ...limits }),
    answers: new ByteQuota({ name: 'answers', ...limits }),
  }
}
