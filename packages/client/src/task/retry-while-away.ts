import { setTimeout as delay } from 'node:timers/promises'
import type { AbortOptions } from '@nsbox/core/content'
import { isUnavailable } from '@nsbox/errors'

/** Milliseconds that a server may be away. */
const patience = 30_000

/**
 * Makes a call, and repeats it while the server is away, for half a minute: a server that restarts keeps its tasks.
 * Only for idempotent calls.
 *
 * @throws what the call throws; `unavailable` if the server does not come back; the signal's reason
 */
export async function retryWhileAway<T>(call: () => Promise<T>, { signal }: AbortOptions = {}): Promise<T> {
  for (let awaySince: number | undefined; ; ) {
    const asked = Date.now()
    try {
      return await call()
    } catch (error) {
      if (!isUnavailable(error)) throw error
      // A call that lasted so long had reached the server, so the time starts anew.
      if (awaySince === undefined || Date.now() - asked > patience) awaySince = Date.now()
      if (Date.now() - awaySince > patience) throw error
    }
    await delay(100, undefined, { signal })
  }
}
