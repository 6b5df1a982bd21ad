import type { Interceptor } from '@connectrpc/connect'
import type { Logger } from 'pino'

/** Milliseconds. */
const quietTime = 1000

/** What memory is given back by, and when not. */
export interface IdleMemoryOptions {
  readonly trim: () => Promise<void>
  /** Whether it would be needed again at once, or more is going to be free soon. */
  readonly isBusy: () => boolean
  readonly log: Logger
}

/**
 * Has memory given back once no call has come for a second, or later if it is busy then: what a pull, or a compiler of V8's, has freed stays with the C
 * library otherwise, 5 MB of a daemon's 125.
 */
export function idleMemory({
  trim,
  isBusy,
  log,
}: IdleMemoryOptions): Disposable & { interceptor: Interceptor } {
  let timer: NodeJS.Timeout | undefined
  const onQuiet = () => {
    if (isBusy()) return void timer?.refresh()
    trim().catch((err: unknown) => log.debug({ err }, 'giving memory back'))
  }
  return {
    interceptor: (next) => (request) => {
      if (timer === undefined) timer = setTimeout(onQuiet, quietTime).unref()
      else timer.refresh()
      return next(request)
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}
