import type { DescMethod } from '@bufbuild/protobuf'
import type { Logger } from 'pino'

/** How long nobody else may have to wait for the event loop, in milliseconds. */
const budget = 100

/** How often it is looked at, in milliseconds, while there are calls. */
const beat = 50

/** For how many beats it is looked at after the last call. */
const quietBeats = 20

/** The most methods that are named. */
const maxNames = 8

/** Options of a monitor. */
export interface LoopMonitorOptions {
  readonly log: Logger
  /** Milliseconds on a clock that only goes forward. */
  readonly now?: () => number
  /** Milliseconds of processor time that this process has used. */
  readonly processorTime?: () => number
}

/**
 * Logs which calls were worked on while the event loop was held for more than 100 ms. It looks only as long as calls come,
 * so that an idle server sleeps. What other processes take from this one does not count.
 */
export class LoopMonitor implements Disposable {
  readonly #log: Logger
  readonly #now: () => number
  readonly #processorTime: () => number
  /** What was worked on since the last beat, and before that. */
  #methods = new Set<DescMethod>()
  #earlier = new Set<DescMethod>()
  #timer: NodeJS.Timeout | undefined
  #quiet = 0
  #due = 0
  #used = 0

  constructor({ log, now = () => performance.now(), processorTime = usedTime }: LoopMonitorOptions) {
    this.#log = log
    this.#now = now
    this.#processorTime = processorTime
  }

  /** A call of the method is worked on. */
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
    // A beat is late as well when other processes have the processors, or the machine was asleep.
    if (held > budget && this.#processorTime() - this.#used > held / 2) this.#tell(held)
    this.#quiet = this.#methods.size === 0 ? this.#quiet + 1 : 0
    this.#earlier = this.#methods
    this.#methods = new Set()
    if (this.#quiet < quietBeats) this.#look()
    else this.#timer = undefined
  }

  #tell(held: number): void {
    const methods = this.#methods.size > 0 ? this.#methods : this.#earlier
    const names = [...methods].slice(0, maxNames).map(({ parent, name }) => `${parent.typeName}/${name}`)
    this.#log.warn({ ms: Math.round(held), methods: names, of: methods.size }, 'event loop held')
  }
}

function usedTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
