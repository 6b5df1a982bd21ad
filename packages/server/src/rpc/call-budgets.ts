import { ByteQuota } from './byte-quota.ts'

/** What of calls is in memory, by connection. Who waits for one of them may hold the ones before it, and none after it. */
export interface CallBudgets {
  /** Bytes that come, or may come at any time, and for which there is no other place yet. */
  readonly arriving: ByteQuota
  /** Requests that are large, as they come and for as long as their calls last. */
  readonly requests: ByteQuota
  /** What they are decoded to. */
  readonly decoded: ByteQuota
  /** Answers that the client has not taken. */
  readonly answers: ByteQuota
}

/** The budgets of a server: of each kind 32 MiB for one connection, and 50 MiB for all, 10 of which are for those who hold at most 5. */
export function callBudgets(): CallBudgets {
  const limits = { perOwner: 32 << 20, total: 40 << 20 }
  return {
    arriving: new ByteQuota({ name: 'unfinished requests', ...limits }),
    requests: new ByteQuota({ name: 'requests', ...limits }),
    decoded: new ByteQuota({ name: 'decoded requests', ...limits }),
    answers: new ByteQuota({ name: 'answers', ...limits }),
  }
}
