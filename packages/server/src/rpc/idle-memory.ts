import type { Interceptor } from '@connectrpc/connect'
import type { Logger } from 'pino'

/** Milliseconds without activity until memory is freed. */
const quietTime = 1000

/** How to free memory, and when not to. */
export interface IdleMemoryOptions {
  /** Collects garbage. */
  readonly collect: () => Promise<void>
  /** Returns free memory to the system. */
  readonly trim: () => Promise<void>
  /** Whether the memory would be needed again at once, or more will be free soon. */
  readonly isBusy: () => boolean
  readonly log: Logger
}

/** Frees the memory of an idle server. */
export interface IdleMemory extends Disposable {
  /** Observes calls. */
  readonly interceptor: Interceptor
  /** Reports other activity, such as the end of a connection. */
  readonly touch: () => void
}

/**
 * Frees memory after a second without activity, or later if the server is busy then. Otherwise the C library keeps what
 * a pull or V8's compiler has freed, 5 MB of a daemon's 125, and V8 keeps garbage of useless requests.
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
