import { setTimeout as delay } from 'node:timers/promises'
import type { AbortOptions, ProcessExit, ProcessIo } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import { Exec, type ExecTask } from './exec.ts'
import { readExec, removeExec, writeExec } from './task-record.ts'

/** Milliseconds for execs to end, once the first process of their task has ended. */
const lastMoments = 5_000

/** The execs of a task, by their ids. */
export class TaskExecs {
  readonly #task: ExecTask
  readonly #execs = new Map<string, Exec>()

  constructor(task: ExecTask) {
    this.#task = task
  }

  /** @throws `not_found` */
  get(id: string): Exec {
    const exec = this.#execs.get(id)
    if (exec === undefined) throw new NsboxError('not_found', `process does not exist ${id}`)
    return exec
  }

  /** The ids of execs by their pids. */
  get byPid(): ReadonlyMap<number, string> {
    return new Map([...this.#execs.values()].map((exec) => [exec.pid, exec.id]))
  }

  /** @param process the OCI process as JSON */
  async add(id: string, io: ProcessIo, process: Uint8Array): Promise<void> {
    const { bundle } = this.#task
    if (this.#execs.has(id)) throw new NsboxError('already_exists', `id ${id}`)
    const files = await bundle.addExec(id, process)
    try {
      writeExec(files, { io, pid: 0 })
    } catch (error) {
      removeExec(files)
      await bundle.removeExec(id)
      throw error
    }
    this.#execs.set(id, new Exec(this.#task, id, io, files))
    this.#task.emit({ topic: '/tasks/exec-added', payload: { containerId: this.#task.id, execId: id } })
  }

  async delete(id: string, options: AbortOptions): Promise<ProcessExit & { readonly pid: number }> {
    const deleted = await this.get(id).delete(options)
    this.#execs.delete(id)
    return deleted
  }

  /** Takes over the execs of an earlier process. */
  async recover(): Promise<void> {
    const { bundle } = this.#task
    for (const id of bundle.execIds()) {
      const files = bundle.execFiles(id)
      const record = readExec(files)
      if (record === undefined) {
        removeExec(files)
        await bundle.removeExec(id)
      } else {
        this.#execs.set(id, Exec.found(this.#task, id, record, files))
      }
    }
  }

  /** Resolves when none runs or is being started any more, or after five seconds. */
  async ended(): Promise<void> {
    const timer = new AbortController()
    const late = delay(lastMoments, 'late', { signal: timer.signal }).catch(() => 'late')
    try {
      for (let left = this.#underWay(); left.length > 0; left = this.#underWay()) {
        const over = Promise.all(left.map((exec) => exec.over()))
        if ((await Promise.race([over, late])) === 'late') return
      }
    } finally {
      timer.abort()
    }
  }

  /** Removes the files of all of them, without events. */
  async discard(): Promise<void> {
    await Promise.all([...this.#execs.values()].map((exec) => exec.discard()))
  }

  #underWay(): Exec[] {
    return [...this.#execs.values()].filter(({ isUnderWay }) => isUnderWay)
  }
}
