import type { Interceptor } from '@connectrpc/connect'
import { QuietMemory, type QuietMemoryOptions } from '@nsbox/sys/processes'
import type { Logger } from 'pino'

/** Milliseconds without activity until memory is freed. */
const quietTime = 1000

/** How to free memory, and when not to. */
export interface IdleMemoryOptions extends Pick<QuietMemoryOptions, 'collect' | 'trim' | 'isBusy'> {
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
export function idleMemory({ log, ...options }: IdleMemoryOptions): IdleMemory {
  const onError = (err: unknown) => log.debug({ err }, 'giving memory back')
  const memory = new QuietMemory({ ...options, quietTime, onError })
  return {
    touch: () => memory.touch(),
    interceptor: (next) => (request) => {
      memory.touch()
      return next(request)
    },
    [Symbol.dispose]: () => memory[Symbol.dispose](),
  }
}
