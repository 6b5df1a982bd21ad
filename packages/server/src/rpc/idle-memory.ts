import type { Interceptor } from '@connectrpc/connect'
import type { Logger } from 'pino'

/** Milliseconds. */
const quietTime = 1000

/** What memory is given back by, and when not. */
export interface IdleMemoryOptions {
  /** Finds what is not used any more. */
  readonly collect: () => Promise<void>
  /** Gives back to the system what is free. */
  readonly trim: () => Promise<void>
  /** Whether it would be needed again at once, or more is going to be free soon. */
  readonly isBusy: () => boolean
  readonly log: Logger
}

/** What memory is given back by. */
export interface IdleMemory extends Disposable {
  /** Tells it of calls. */
  readonly interceptor: Interceptor
  /** Something else has been done, such as a connection that has ended. */
  readonly touch: () => void
}

/**
 * Has memory given back once nothing has been done for a second, or later if it is busy then: what a pull, or a compiler of
 * V8's, has freed stays with the C library otherwise, 5 MB of a daemon's 125; what a client has sent in vain stays with V8.
 */
export function idleMemory({ collect, trim, isBusy, log }: IdleMemoryOptions): IdleMemory {
  let timer: NodeJS.Timeout | undefined
  const onQuiet = () => {
    if (isBusy()) return void timer?.refresh()
    giveBack().catch((err: unknown) => log.debug({ err }, 'giving memory back'))
  }
  const giveBack = async () => {
    await collect()
    await trim()
  }
  const touch = () => {
    if (timer === undefined) timer = setTimeout(onQuiet, quietTime).unref()
    else timer.refresh()
  }
  return {
    touch,
    interceptor: (next) => (request) => {
      touch()
      return next(request)
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}
