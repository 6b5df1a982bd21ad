import type { Bundle, ExecFiles } from '@nsbox/bundle'
import type { DomainEvent } from '@nsbox/core/events'
import type { AbortOptions, Process, ProcessExit, ProcessIo } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import type { LaunchPaths, SupervisedProcess, TerminalSize } from '@nsbox/supervisor'
import { systemClock } from '@nsbox/time'
import { launchRunc } from '../runc/launch-runc.ts'
import type { Runc } from '../runc/runc.ts'
import { ProcessEnd } from './process-end.ts'
import type { RuntimeChoice } from './runtime-choice.ts'
import { StartUnderWay } from './start-under-way.ts'
import { finished, notStarted, stateError, type TaskState } from './state-error.ts'
import { processKey, type TaskContext } from './task-context.ts'
import { type ExecRecord, exitOf, removeExec, storedExit, writeExec } from './task-record.ts'
import { YieldingMutex } from './yielding-mutex.ts'

/** The parts of a task that its execs use. */
export interface ExecTask {
  readonly namespace: string
  readonly id: string
  readonly bundle: Bundle
  readonly state: TaskState
  readonly isFrozen: boolean
  readonly context: TaskContext
  readonly runc: Runc
  readonly choice: RuntimeChoice
  emit(event: DomainEvent): void
  /** Writes records. A failure becomes a warning, and the work goes on. */
  keep(write: () => void): void
  checkMemory(): void
}

/** A process that was added to a task: created → running → stopped. */
export class Exec {
  readonly id: string
  readonly io: ProcessIo
  readonly #task: ExecTask
  readonly #files: ExecFiles
  readonly #mutex = new YieldingMutex()
  readonly #end = new ProcessEnd()
  readonly #starting = new StartUnderWay()
  #process: SupervisedProcess | undefined
  #pid = 0
  /** The client's input may end while the process is being started. */
  #inputIsClosed = false

  constructor(task: ExecTask, id: string, io: ProcessIo, files: ExecFiles) {
    this.#task = task
    this.id = id
    this.io = io
    this.#files = files
  }

  /** Takes over an exec of an earlier process. */
  static found(task: ExecTask, id: string, record: ExecRecord, files: ExecFiles): Exec {
    const exec = new Exec(task, id, record.io, files)
    exec.#recover(record)
    return exec
  }

  get pid(): number {
    return this.#pid
  }

  get state(): TaskState {
    if (this.#end.exit !== undefined) return 'stopped'
    return this.#pid === 0 ? 'created' : 'running'
  }

  /** Whether it runs, or may once it has been started. */
  get isUnderWay(): boolean {
    return this.state === 'running' || this.#starting.isUnderWay
  }

  /** Resolves when it has ended, or could not be started. */
  async over(): Promise<void> {
    await this.#starting.through
    if (this.state === 'running') await this.#end.wait({}).catch(() => undefined)
  }

  /** For clients; the state is unknown if a start that is under way takes long. */
  async describe(options: AbortOptions = {}): Promise<Process> {
    const settled = await this.#starting.settled(options)
    const { io, id: execId, pid } = this
    const state = settled ? this.state : 'unknown'
    const exit = this.#end.exit
    // A process in a frozen cgroup is frozen, like the first one.
    const status = state === 'running' && this.#task.isFrozen ? this.#task.state : state
    return { containerId: this.#task.id, execId, pid, status, ...io, ...(exit === undefined ? {} : { exit }) }
  }

  /** Starts it. */
  start({ signal }: AbortOptions): Promise<{ readonly pid: number }> {
    return this.#mutex.run({ signal }, async () => {
      if (this.state !== 'created') throw stateError('start', this.state)
      await this.#starting.run(async () => {
        const process = await this.#launch({ signal })
        this.#process = process
        this.#pid = process.pid
        this.#record()
        this.#tell('/tasks/exec-started')
        void this.#follow(process)
        if (this.#inputIsClosed) await process.closeStdin()
      })
      return { pid: this.#pid }
    })
  }

  wait(options: AbortOptions): Promise<ProcessExit> {
    return this.#end.wait(options)
  }

  kill(signal: number): void {
    if (this.state === 'created') throw notStarted()
    if (this.#process === undefined || this.state === 'stopped') throw finished()
    this.#process.signal(signal)
  }

  resize(size: TerminalSize): void {
    if (!this.io.terminal) throw new NsboxError('failed_precondition', 'process has no terminal')
    if (this.#process === undefined) throw notStarted()
    if (this.state !== 'stopped') this.#process.resize(size)
  }

  async closeStdin(options: AbortOptions): Promise<void> {
    this.#inputIsClosed = true
    await this.#process?.closeStdin(options)
  }

  /** Removes it with its files. */
  delete({ signal }: AbortOptions): Promise<ProcessExit & { readonly pid: number }> {
    return this.#mutex.run({ signal }, async () => {
      if (this.state === 'running')
        throw stateError('delete', this.#task.isFrozen ? this.#task.state : 'running')
      await this.#process?.drained
      await this.discard()
      const exit = this.#end.exit ?? { exitStatus: 0, exitedAt: systemClock.stamp() }
      this.#task.emit({
        topic: '/tasks/delete',
        payload: { containerId: this.#task.id, id: this.id, pid: this.#pid, ...exit },
      })
      return { ...exit, pid: this.#pid }
    })
  }

  /** Removes its files without an event, in any state. */
  async discard(): Promise<void> {
    await this.#process?.release()
    removeExec(this.#files)
    await this.#task.bundle.removeExec(this.id)
    this.#end.abandon(new NsboxError('not_found', `process does not exist ${this.id}`))
  }

  async #launch(options: AbortOptions): Promise<SupervisedProcess> {
    const { namespace, id, state, context, runc, choice } = this.#task
    if (state === 'stopped') throw stateError('exec', state)
    const { id: execId, io } = this
    const files = this.#files
    const command = (paths: LaunchPaths) => runc.execArguments(id, { ...files, ...paths })
    const key = processKey(namespace, id, execId)
    const { log, pidFile } = files
    const program = { ...choice, runc, log, pidFile, command }
    const launch = { kind: 'exec', key, namespace, id, io, ...program } as const
    return await launchRunc(context, launch, options)
  }

  #recover(record: ExecRecord): void {
    const { context, namespace, id } = this.#task
    const process = context.supervisor.process(processKey(namespace, id, this.id))
    this.#process = process
    this.#pid = record.pid || (process?.pid ?? 0)
    if (record.exit !== undefined) {
      this.#end.settle(exitOf(record.exit))
    } else if (process !== undefined) {
      if (record.pid === 0) {
        this.#record()
        this.#tell('/tasks/exec-started')
      }
      void this.#follow(process)
    } else if (this.#pid !== 0) {
      // It ran, but the supervisor does not know it.
      this.#ended({ exitStatus: 255, exitedAt: systemClock.stamp() })
    }
  }

  async #follow(process: SupervisedProcess): Promise<void> {
    const exit = await process.exit
    this.#task.checkMemory()
    this.#ended(exit)
  }

  #ended(exit: ProcessExit): void {
    this.#record(exit)
    this.#task.emit({
      topic: '/tasks/exit',
      payload: { containerId: this.#task.id, id: this.id, pid: this.#pid, ...exit },
    })
    this.#end.settle(exit)
  }

  #record(exit?: ProcessExit): void {
    const { io } = this
    this.#task.keep(() =>
      writeExec(this.#files, {
        io,
        pid: this.#pid,
        ...(exit === undefined ? {} : { exit: storedExit(exit) }),
      }),
    )
  }

  #tell(topic: '/tasks/exec-started'): void {
    this.#task.emit({ topic, payload: { containerId: this.#task.id, execId: this.id, pid: this.#pid } })
  }
}
