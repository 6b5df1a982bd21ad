import { setTimeout } from 'node:timers/promises'
import type { HttpServers } from './listen/http-servers.ts'

/** Milliseconds that calls may take to end by themselves, and then to end after an abort. */
const grace = 5000
const abortGrace = 2000

/** What to shut down. */
export interface ShutDownParts {
  readonly http: Pick<HttpServers, 'close' | 'destroy'>
  /** Ends calls that would never end by themselves, such as subscriptions. */
  readonly stop: () => void
  /** Aborts every call. */
  readonly abort: () => void
}

/**
 * Stops serving: refuses new calls, lets running ones end, aborts them after a time-out, and at last closes every
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
