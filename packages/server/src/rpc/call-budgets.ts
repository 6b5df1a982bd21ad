import { ByteBudget } from './byte-budget.ts'

/**
 * Budgets for the memory of calls, by connection. A call that waits for one of them may hold bytes of those before it,
 * never of those after it, so there is no deadlock.
 */
export interface CallBudgets {
  /** Received bytes, and those that may come at any time. */
  readonly arriving: ByteBudget
  /** Large requests, while they are received and until their calls end. */
  readonly requests: ByteBudget
  /** Decoded requests. */
  readonly decoded: ByteBudget
  /** Answers that the client has not read. */
  readonly answers: ByteBudget
}

/**
 * The budgets of a server: of each kind 32 MiB for one connection and 50 MiB for all, of which 10 are reserved for
 * connections that hold at most 5.
 */
export function callBudgets(): CallBudgets {
  const limits = { perOwner: 32 << 20, total: 40 << 20 }
  return {
    arriving: new ByteBudget({ name: 'unfinished requests', ...limits }),
    requests: new ByteBudget({ name: 'requests', ...limits }),
    decoded: new ByteBudget({ name: 'decoded requests', ...limits }),
    answers: new ByteBudget({ name: 'answers', ...limits }),
  }
}
