import type { Logger } from 'pino'

/** Signals that ask the program to end, and the exit code by which a shell tells of each. */
const ending = { SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const

/**
 * Signals that would end the program in the middle of its work if nobody listened; SIGUSR1 would open the port of
 * Node.js's debugger. To the daemon they mean nothing. The ones that tell of a fault of the program itself, such as SIGSEGV,
 * are left to end it, and the ones that only stop it, such as SIGTSTP, to stop it; SIGPROF is left to V8's profiler. Names that a system does not have do
 * no harm.
 */
const meaningless = [
  ...['SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGIO', 'SIGPOLL', 'SIGPWR', 'SIGSTKFLT'],
  ...['SIGXCPU', 'SIGXFSZ', 'SIGPIPE'],
] as NodeJS.Signals[]

/** What signals do. */
export interface SignalWatchOptions {
  /** Called at each SIGHUP. */
  readonly onReload: () => void
  readonly log: Logger
}

/**
 * Takes over the signals of the process, for good: no signal that an operator may send ends the program other than in an
 * orderly way, but for a second one of those that ask for its end.
 */
export class SignalWatch {
  /** The first signal that asks the process to end; the next one ends it. */
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
  }
}
