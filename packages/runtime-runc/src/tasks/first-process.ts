import type { AbortOptions, ProcessExit, TaskMetrics } from '@nsbox/core/tasks'
import { isFailedPrecondition, isNotFound, NsboxError } from '@nsbox/errors'
import type { SupervisedProcess, TerminalSize } from '@nsbox/supervisor'
import { systemClock } from '@nsbox/time'
import type { ContainerCgroup } from '../cgroups/container-cgroup.ts'
import { type ContainerProcesses, namespaceProcesses } from '../cgroups/namespace-processes.ts'
import type { OomWatch } from '../cgroups/oom/oom-watch.ts'
import { signalAll, signalProcess } from '../cgroups/signal-processes.ts'
import { finished, notStarted } from './state-error.ts'
import type { TaskContext } from './task-context.ts'
import type { TaskRecord } from './task-record.ts'

/** A first process that has been made. */
interface Made {
  readonly pid: number
  /** Undefined if the supervisor does not know it. */
  readonly process: SupervisedProcess | undefined
  /** Undefined if it has no cgroup of its own. */
  readonly cgroup: ContainerCgroup | undefined
  /** Those of its cgroup, or else of its pid namespace; undefined if it has neither of its own. */
  readonly processes: ContainerProcesses | undefined
}

/**
 * The first process of a task, and the cgroup that it shares with all others. Before it is made, the size of its
 * terminal and the end of its input are kept for it.
 */
export class FirstProcess implements Disposable {
  readonly #context: TaskContext
  readonly #tellOom: () => void
  readonly #warn: (message: string, error: unknown) => void
  #made: Made | undefined
  #oom: OomWatch | undefined
  #size: TerminalSize | undefined
  #inputIsClosed = false

  constructor(namespace: string, containerId: string, context: TaskContext) {
    this.#context = context
    this.#warn = (message, error) => context.onWarning(`task ${namespace}/${containerId}: ${message}`, error)
    this.#tellOom = () => context.onEvent(namespace, { topic: '/tasks/oom', payload: { containerId } })
  }

  /** 0 if it has not been made. */
  get pid(): number {
    return this.#made?.pid ?? 0
  }

  get isMade(): boolean {
    return this.#made !== undefined
  }

  get isAlive(): boolean {
    const { process } = this.#made ?? {}
    return process !== undefined && process.ended === undefined
  }

  /** Undefined if it has not been made, or has no cgroup of its own. */
  get cgroup(): ContainerCgroup | undefined {
    return this.#made?.cgroup
  }

  /** Its part of the task's record. */
  get recorded(): Pick<TaskRecord, 'pid' | 'cgroups'> {
    const { pid, cgroup } = this.#made ?? { pid: 0 }
    return { pid, cgroups: cgroup && [...cgroup.cgroups] }
  }

  /** Takes the process that has just been made, and begins to watch its memory. */
  async take(process: SupervisedProcess): Promise<void> {
    const { pid } = process
    this.#made = this.#madeOf(pid, process, await this.#cgroupOf(pid))
    await this.#watch()
    if (this.isAlive && this.#size !== undefined) process.resize(this.#size)
    if (this.#inputIsClosed) await process.closeStdin()
  }

  /** Takes a recorded process of an earlier daemon. */
  async find({ pid, cgroups }: TaskRecord, process: SupervisedProcess | undefined): Promise<void> {
    this.#made = this.#madeOf(pid, process, cgroups && this.#context.cgroups.at(new Map(cgroups)))
    if (this.isAlive) await this.#watch()
  }

  /** Forgets a process whose start has failed. */
  drop(): void {
    this[Symbol.dispose]()
    this.#made = undefined
  }

  /** Stops watching its memory. */
  [Symbol.dispose](): void {
    this.#oom?.[Symbol.dispose]()
    this.#oom = undefined
  }

  /** To be called when a process has ended, before that is reported: running out of memory is reported first. */
  checkMemory(): void {
    try {
      this.#oom?.check()
    } catch (error) {
      this.#warn('watching for memory exhaustion', error)
    }
  }

  /** Resolves with its end. */
  async exit(): Promise<ProcessExit> {
    return (await this.#made?.process?.exit) ?? { exitStatus: 255, exitedAt: systemClock.stamp() }
  }

  /** @throws `failed_precondition` if it has not been made; `not_found` if it has ended */
  signal(signal: number): void {
    const { process } = this.#needed()
    if (process === undefined) throw finished()
    process.signal(signal)
  }

  /** Signals all processes of the container. @throws as `signal`; `not_found` if there are none */
  async signalAll(signal: number): Promise<void> {
    const { processes } = this.#needed()
    if (processes === undefined || (await signalAll(processes, signal)) === 0) throw finished()
  }

  /** Kills the process; does nothing if it has ended. */
  kill(): void {
    try {
      this.signal(9)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  /** Kills all processes of the container; a failure becomes a warning. */
  async killAll(): Promise<void> {
    try {
      await this.signalAll(9)
    } catch (error) {
      if (!isNotFound(error)) this.#warn('its processes cannot be ended', error)
    }
  }

  /** Signals a process of the container. @throws as `signal`; `not_found` for any other process */
  signalPid(pid: number, signal: number): void {
    const { processes } = this.#needed()
    if (processes === undefined) throw new NsboxError('not_found', `process ${pid} of the container`)
    signalProcess(processes, pid, signal)
  }

  resize(size: TerminalSize): void {
    this.#size = size
    this.#made?.process?.resize(size)
  }

  async keepStdin(): Promise<void> {
    if (!this.#inputIsClosed) await this.#made?.process?.keepStdin()
  }

  async closeStdin(options: AbortOptions): Promise<void> {
    this.#inputIsClosed = true
    await this.#made?.process?.closeStdin(options)
  }

  /** Whether it has been made without a cgroup of its own, since this process cannot make any. */
  get lacksCgroup(): boolean {
    const isLimited = this.#context.limits !== undefined
    return isLimited && this.#made !== undefined && this.#made.cgroup === undefined
  }

  /** All processes of the container. */
  async pids(): Promise<number[]> {
    return (await this.#made?.processes?.pids()) ?? []
  }

  /** The metrics of the cgroup; undefined if it is gone. */
  async metrics(): Promise<TaskMetrics['data'] | undefined> {
    try {
      return await this.#made?.cgroup?.metrics()
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /** Resolves when all output has been passed on, after the end. */
  async drained(): Promise<void> {
    await this.#made?.process?.drained
  }

  /** Makes the supervisor forget it. */
  async release(): Promise<void> {
    await this.#made?.process?.release()
  }

  #needed(): Made {
    if (this.#made === undefined) throw notStarted()
    return this.#made
  }

  async #watch(): Promise<void> {
    const { cgroup } = this.#needed()
    if (cgroup !== undefined) this.#oom = await this.#context.oom.watch(cgroup, this.#tellOom)
  }

  /** Undefined if it has ended already, or has no cgroup of its own. */
  async #cgroupOf(pid: number): Promise<ContainerCgroup | undefined> {
    try {
      return await this.#context.cgroups.of(pid)
    } catch (error) {
      if (isNotFound(error) || isFailedPrecondition(error)) return undefined
      throw error
    }
  }

  #madeOf(pid: number, process: SupervisedProcess | undefined, cgroup: ContainerCgroup | undefined): Made {
    const isLimited = this.#context.limits !== undefined
    return { pid, process, cgroup, processes: cgroup ?? (isLimited ? namespaceProcesses(pid) : undefined) }
  }
}
