import { pidfdExitStatus, signalPidfd, zombieExitStatus } from '@nsbox/sys/processes'
import { wallTime } from '@nsbox/time'
import type { ExitRecord } from '../protocol/process-record.ts'
import type { Watcher } from './watcher.ts'

/** The status of a process whose exit cannot be known. */
export const unknownStatus = 255

/** Milliseconds between two queries for an exit status, and the number of queries: a parent may be slow to wait. */
const askInterval = 20
const mostAsks = 250

/** How to learn of an exit. */
export interface AdoptedProcessExitOptions {
  readonly watcher: Watcher
  readonly onEnd: (exit: ExitRecord) => void
  /** The exit status of a pidfd's process; by default as the kernel reports it. */
  readonly exitStatusOf?: ((pidfd: number) => number | 'pending' | 'unknown') | undefined
}

/**
 * Reports the end of a process that is not a child of this one, such as one that an earlier supervisor launched. Its
 * pidfd becomes readable when it ends. The kernel gives the exit status until the parent has waited for the process,
 * since Linux 6.15 also afterwards.
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
  // The pid still belongs to this process if its pidfd can be signalled after the read.
  return status !== undefined && signalPidfd(pidfd, 0) ? status : 'pending'
}
