import { readFileSync } from 'node:fs'
import type { DescMethod } from '@bufbuild/protobuf'
import type { Logger } from 'pino'

/** How long the event loop may be blocked, in milliseconds. */
const budget = 100

/** Interval of the checks while there are calls, in milliseconds. */
const beat = 50

/** Number of checks after the last call. */
const quietBeats = 20

/** The most methods to name. */
const maxNames = 8

/** Options of a monitor. */
export interface LoopMonitorOptions {
  readonly log: Logger
  /** Called at each check with the milliseconds for which the event loop was late. */
  readonly onDelay?: ((milliseconds: number) => void) | undefined
  /** Milliseconds on a clock that only goes forward. */
  readonly now?: () => number
  /** Processor time that this thread has used, in milliseconds. */
  readonly processorTime?: () => number
}

/**
 * Logs which methods were running when the event loop was blocked for more than 100 ms by work of its own. It checks
 * only while there are calls, so that an idle server sleeps. Time that other processes and threads take from this one
 * does not count.
 */
export class LoopMonitor implements Disposable {
  readonly #log: Logger
  readonly #onDelay: (milliseconds: number) => void
  readonly #now: () => number
  readonly #processorTime: () => number
  /** The methods that ran since the last check, and before it. */
  #methods = new Set<DescMethod>()
  #earlier = new Set<DescMethod>()
  #timer: NodeJS.Timeout | undefined
  #quiet = 0
  #due = 0
  #used = 0

  constructor({
    log,
    onDelay = () => {},
    now = () => performance.now(),
    processorTime = usedTime,
  }: LoopMonitorOptions) {
    this.#log = log
    this.#onDelay = onDelay
    this.#now = now
    this.#processorTime = processorTime
  }

  /** A call of the method is running. */
  touch(method: DescMethod): void {
    this.#methods.add(method)
    if (this.#timer === undefined) this.#look()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  #look(): void {
    this.#due = this.#now() + beat
    this.#used = this.#processorTime()
    this.#timer = setTimeout(() => this.#beat(), beat).unref()
  }

  #beat(): void {
    const held = this.#now() - this.#due
    this.#onDelay(Math.max(0, held))
    // A check is also late if others use the processors or the machine was asleep.
    const worked = held > budget ? Math.min(held, this.#processorTime() - this.#used) : 0
    if (worked > budget) this.#tell(worked)
    this.#quiet = this.#methods.size === 0 ? this.#quiet + 1 : 0
    this.#earlier = this.#methods
    this.#methods = new Set()
    if (this.#quiet < quietBeats) this.#look()
    else this.#timer = undefined
  }

  #tell(worked: number): void {
    const methods = this.#methods.size > 0 ? this.#methods : this.#earlier
    const names = [...methods].slice(0, maxNames).map(({ parent, name }) => `${parent.typeName}/${name}`)
    this.#log.warn({ ms: Math.round(worked), methods: names, of: methods.size }, 'event loop held')
  }
}

/** Of this thread, or of the process where the system does not tell. */
function usedTime(): number {
  const own = ownTime()
  if (own > 0) return own
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The first number of `schedstat` (the kernel's scheduler/sched-stats.rst); 0 where there is none. */
function ownTime(): number {
  try {
    return Number.parseInt(readFileSync('/proc/thread-self/schedstat', 'utf8'), 10) / 1e6
  } catch {
    return 0
  }
}
