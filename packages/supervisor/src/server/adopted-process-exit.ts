import { pidfdExitStatus, signalPidfd, zombieExitStatus } from '@nsbox/sys/processes'
import { wallTime } from '@nsbox/time'
import type { ExitRecord } from '../protocol/process-record.ts'
import type { Watcher } from './watcher.ts'

/** The status that stands for one that nobody can tell. */
export const unknownStatus = 255

/** Milliseconds between two questions for an exit status, and how many there are: a parent may be slow to wait. */
const askInterval = 20
const mostAsks = 250

/** How to learn of an end. */
export interface AdoptedProcessExitOptions {
  readonly watcher: Watcher
  readonly onEnd: (exit: ExitRecord) => void
  /** How the process of a descriptor ended; what the kernel tells by default. */
  readonly exitStatusOf?: ((pidfd: number) => number | 'pending' | 'unknown') | undefined
}

/**
 * Tells the end of a process that is somebody else's child, such as one that an earlier supervisor launched. Its
 * descriptor tells when it ends. How, the kernel tells until its parent has waited for it, and on Linux 6.15 and later
 * afterwards as well.
 */
export class AdoptedProcessExit {
  readonly #pidfd: number
  readonly #exitStatusOf: NonNullable<AdoptedProcessExitOptions['exitStatusOf']>
  readonly #options: AdoptedProcessExitOptions
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(pid: number, pidfd: number, options: AdoptedProcessExitOptions) {
    this.#pidfd = pidfd
    this.#exitStatusOf = options.exitStatusOf ?? (() => exitStatusOf(pid, pidfd))
    this.#options = options
    options.watcher.onceEnded(pidfd, () => this.#ask(wallTime(), 0))
  }

  /** To be called before the descriptor is closed. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #ask(exitedAt: number, asked: number): void {
    if (this.#stopped) return
    const status = this.#exitStatusOf(this.#pidfd)
    if (status === 'pending' && asked < mostAsks)
      this.#timer = setTimeout(() => this.#ask(exitedAt, asked + 1), askInterval)
    else if (typeof status === 'number') this.#options.onEnd({ exitStatus: status, exitedAt })
    else this.#options.onEnd({ exitStatus: unknownStatus, exitedAt, unknown: true })
  }
}

function exitStatusOf(pid: number, pidfd: number): number | 'pending' | 'unknown' {
  const told = pidfdExitStatus(pidfd)
  if (typeof told === 'number' || !signalPidfd(pidfd, 0)) return told
  const status = zombieExitStatus(pid)
  // The number is still that of this process if it is there to be signalled after it was looked at.
  return status !== undefined && signalPidfd(pidfd, 0) ? status : 'pending'
}
