import type { AbortOptions, ProcessExit, TaskMetrics } from '@nsbox/core/tasks'
import { isFailedPrecondition, isNotFound, NsboxError } from '@nsbox/errors'
import type { ContainerCgroup } from '../cgroups/container-cgroup.ts'
import type { OomWatch, OomWatcher } from '../cgroups/oom/oom-watch.ts'
import { signalAll, signalProcess } from '../cgroups/signal-processes.ts'
import type { SupervisedProcess, TerminalSize } from '../supervisor/supervisor.ts'
import { finished } from './state-error.ts'
import type { TaskContext } from './task-context.ts'

/** The first process of a task, and the cgroup that it shares with those that follow from it. */
export class FirstProcess implements Disposable {
  readonly pid: number
  readonly cgroup: ContainerCgroup | undefined
  readonly #process: SupervisedProcess | undefined
  #oom: OomWatch | undefined

  /**
   * @param process undefined if nobody knows of it any more
   * @param cgroup undefined if it has none of its own
   */
  constructor(pid: number, process: SupervisedProcess | undefined, cgroup: ContainerCgroup | undefined) {
    this.pid = pid
    this.#process = process
    this.cgroup = cgroup
  }

  /** A process that has just been made. */
  static async of({ cgroups }: TaskContext, process: SupervisedProcess): Promise<FirstProcess> {
    const { pid } = process
    try {
      return new FirstProcess(pid, process, await cgroups.of(pid))
    } catch (error) {
      // It has ended already, or has no cgroup of its own.
      if (!isNotFound(error) && !isFailedPrecondition(error)) throw error
      return new FirstProcess(pid, process, undefined)
    }
  }

  /** As it is kept in the record of its task. */
  get place(): (readonly [hierarchy: string, path: string])[] | undefined {
    return this.cgroup && [...this.cgroup.cgroups]
  }

  get alive(): boolean {
    return this.#process !== undefined && this.#process.ended === undefined
  }

  /** Begins to look for a lack of memory, until this is disposed of. */
  async watch(oom: OomWatcher, tell: () => void): Promise<void> {
    if (this.cgroup !== undefined) this.#oom = await oom.watch(this.cgroup, tell)
  }

  [Symbol.dispose](): void {
    this.#oom?.[Symbol.dispose]()
    this.#oom = undefined
  }

  /** To be called when a process has ended, before that is told: a lack of memory that ended it is told first. */
  async checkMemory(): Promise<void> {
    await this.#oom?.check()
  }

  /** Resolves with how it ended. */
  async exit(): Promise<ProcessExit> {
    return (await this.#process?.exit) ?? { exitStatus: 255, exitedAt: new Date() }
  }

  /** @throws `not_found` if it has ended */
  signal(signal: number): void {
    if (this.#process === undefined) throw finished()
    this.#process.signal(signal)
  }

  /** Signals all processes of the cgroup. @returns how many there were */
  async signalAll(signal: number): Promise<number> {
    return this.cgroup === undefined ? 0 : await signalAll(this.cgroup, signal)
  }

  /** Signals a process of the cgroup. @throws `not_found` for any other */
  signalPid(pid: number, signal: number): void {
    if (this.cgroup === undefined) throw new NsboxError('not_found', `process ${pid} of the container`)
    signalProcess(this.cgroup, pid, signal)
  }

  resize(size: TerminalSize): void {
    this.#process?.resize(size)
  }

  async keepStdin(): Promise<void> {
    await this.#process?.keepStdin()
  }

  async closeStdin(options: AbortOptions): Promise<void> {
    await this.#process?.closeStdin(options)
  }

  /** The processes of the cgroup. */
  async pids(): Promise<number[]> {
    return (await this.cgroup?.pids()) ?? []
  }

  /** What the cgroup tells; undefined if it is gone. */
  async metrics(): Promise<TaskMetrics['data'] | undefined> {
    try {
      return await this.cgroup?.metrics()
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /** Resolves when all output has been handed on, after the end. */
  async drained(): Promise<void> {
    await this.#process?.drained
  }

  /** Has the supervisor forget it. */
  async release(): Promise<void> {
    await this.#process?.release()
  }
}
