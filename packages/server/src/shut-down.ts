import { setTimeout } from 'node:timers/promises'
import type { HttpServers } from './listen/http-servers.ts'

/** How long calls may take to end by themselves, and then to end after they were aborted, in milliseconds. */
const grace = 5000
const abortGrace = 2000

/** What ends in an orderly way. */
export interface ShutDownParts {
  readonly http: Pick<HttpServers, 'close' | 'destroy'>
  /** Ends what would never end by itself, such as subscriptions. */
  readonly stop: () => void
  /** Aborts every call. */
  readonly abort: () => void
}

/**
 * Ends serving: takes nothing new, lets calls end, aborts those that do not within a bound, and at last cuts off every
 * connection.
 */
export async function shutDown({ http, stop, abort }: ShutDownParts): Promise<void> {
  const timers = new AbortController()
  const closed = http.close().then(() => true)
  const within = (ms: number) =>
    Promise.race([closed, setTimeout(ms, false, { signal: timers.signal }).catch(() => false)])
  stop()
  try {
    if (await within(grace)) return
    abort()
    if (await within(abortGrace)) return
    http.destroy()
    await closed
  } finally {
    timers.abort()
  }
}
