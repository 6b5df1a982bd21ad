import type { Logger } from 'pino'

/** Signals that end the program, and its exit code for each, as in shells. */
const ending = { SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const

/**
 * Signals that are ignored: they would kill the program, or, for SIGUSR1, start Node.js's debugger. Signals for faults
 * of the program, such as SIGSEGV, and those that only stop it, such as SIGTSTP, keep their meaning; SIGPROF is left to
 * V8's profiler. Unknown names do no harm.
 */
const meaningless = [
  ...['SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGIO', 'SIGPOLL', 'SIGPWR', 'SIGSTKFLT'],
  ...['SIGXCPU', 'SIGXFSZ'],
] as NodeJS.Signals[]

/** The signal handlers. */
export interface SignalWatchOptions {
  /** Called at each SIGHUP. */
  readonly onReload: () => void
  readonly log: Logger
}

/**
 * Handles the signals of the process from now on. No signal of an operator kills the program, except for a second one
 * of those that end it.
 */
export class SignalWatch {
  /** The first signal that ends the process in an orderly way; the next one ends it at once. */
  readonly first: Promise<NodeJS.Signals>

  constructor({ onReload, log }: SignalWatchOptions) {
    this.first = new Promise((resolve) => {
      let asked = false
      for (const [signal, code] of Object.entries(ending) as [NodeJS.Signals, number][]) {
        process.on(signal, () => {
          if (asked) process.exit(code)
          asked = true
          resolve(signal)
        })
      }
    })
    process.on('SIGHUP', onReload)
    for (const signal of meaningless) process.on(signal, () => log.info({ signal }, 'ignoring a signal'))
    // Comes from the kernel whenever a client has gone. If it were ignored, containers would ignore it, too
    // (execve(2)).
    process.on('SIGPIPE', () => log.debug('a client or reader has gone'))
  }
}
