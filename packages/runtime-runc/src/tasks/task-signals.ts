import { NsboxError } from '@nsbox/errors'
import type { Runc } from '../runc/runc.ts'
import type { FirstProcess } from './first-process.ts'
import { finished, type TaskState } from './state-error.ts'

/** A task whose processes are signalled. */
export interface SignalledTask {
  readonly id: string
  readonly runc: Runc
  readonly context: { readonly shortcuts: { areTakenFor(runc: Runc): boolean } }
  readonly state: TaskState
  readonly isFrozen: boolean
}

/** Signals to the processes of a task; they do not wait for other operations. */
export class TaskSignals {
  readonly #task: SignalledTask
  readonly #first: FirstProcess

  constructor(task: SignalledTask, first: FirstProcess) {
    this.#task = task
    this.#first = first
  }

  /** Signals the first process. @throws `not_found` if it has ended */
  async kill(signal: number): Promise<void> {
    const { id, runc } = this.#running()
    if (this.#isForRunc(signal)) await runc.kill(id, signal)
    else this.#first.signal(signal)
  }

  /** Signals all processes. @throws as `kill` */
  async killAll(signal: number): Promise<void> {
    const { id, runc } = this.#running()
    if (this.#isForRunc(signal)) await runc.kill(id, signal, { all: true })
    else await this.#first.signalAll(signal)
  }

  /** Signals any process of the container, and no other. */
  killPid(pid: number, signal: number): void {
    if (!Number.isInteger(pid) || pid <= 0) throw new NsboxError('invalid_argument', `pid ${pid}`)
    this.#first.signalPid(pid, signal)
  }

  #running(): SignalledTask {
    if (this.#task.state === 'stopped') throw finished()
    return this.#task
  }

  /** With cgroup v1 a frozen process does not end by a signal; runc thaws it. */
  #isForRunc(signal: number): boolean {
    const { isFrozen, context, runc } = this.#task
    // runc finds further processes by the cgroup only.
    if (!this.#first.isMade || this.#first.lacksCgroup) return false
    return (isFrozen && signal === 9) || !context.shortcuts.areTakenFor(runc)
  }
}
