import type { DomainEvent } from '@nsbox/core/events'
import type { Mount } from '@nsbox/core/snapshots'
import type {
  AbortOptions,
  Process,
  ProcessExit,
  ProcessInfo,
  ProcessIo,
  TaskMetrics,
} from '@nsbox/core/tasks'
import { isNotFound, NsboxError } from '@nsbox/errors'
import type { Bundle, ExecFiles } from '../bundle/bundle.ts'
import { processInfos } from '../cgroups/process-infos.ts'
import type { Runc } from '../runc/runc.ts'
import type { LaunchPaths, SupervisedProcess, TerminalSize } from '../supervisor/supervisor.ts'
import type { ExecTask } from './exec.ts'
import type { FirstProcess } from './first-process.ts'
import { launchProcess } from './launch-process.ts'
import { ProcessEnd } from './process-end.ts'
import { discardImages } from './restore-source.ts'
import { finished, notStarted, stateError, type TaskState } from './state-error.ts'
import type { TaskContext } from './task-context.ts'
import { TaskExecs } from './task-execs.ts'
import { exitOf, storedExit, type TaskRecord, writeTask } from './task-record.ts'
import type { TaskStart } from './task-start.ts'
import { Turns } from './turns.ts'

/** What a task is made of. */
export interface TaskParts {
  readonly namespace: string
  readonly id: string
  readonly context: TaskContext
  readonly runc: Runc
  readonly bundle: Bundle
  readonly record: TaskRecord
  /** Undefined if it is to be made by the start. */
  readonly first: FirstProcess | undefined
  readonly start: TaskStart
}

/**
 * The task of one container: created → running ⇄ paused → stopped. What changes it takes turns; questions and signals do
 * not wait. The end of the first process is told once, after that of its execs and after any start that is under way.
 */
export class Task implements Disposable, ExecTask {
  readonly namespace: string
  readonly id: string
  readonly io: ProcessIo
  readonly runc: Runc
  readonly bundle: Bundle
  readonly execs: TaskExecs = new TaskExecs(this)
  readonly #context: TaskContext
  readonly #letRun: TaskStart
  readonly #turns = new Turns()
  readonly #end = new ProcessEnd()
  #first: FirstProcess | undefined
  #record: TaskRecord
  #state: TaskState = 'created'
  #starting: Promise<unknown> = Promise.resolve()
  /** What was asked for before there was a process. */
  #asked: { size?: TerminalSize; inputEnded?: boolean } = {}

  constructor(parts: TaskParts) {
    this.namespace = parts.namespace
    this.id = parts.id
    this.io = parts.record.io
    this.runc = parts.runc
    this.bundle = parts.bundle
    this.#context = parts.context
    this.#first = parts.first
    this.#letRun = parts.start
    this.#record = parts.record
  }

  /** 0 until there is a process. */
  get pid(): number {
    return this.#first?.pid ?? 0
  }

  get state(): TaskState {
    return this.#state
  }

  get isFrozen(): boolean {
    return this.#state === 'paused' || this.#state === 'pausing'
  }

  /** The first process as the outside sees it. */
  describe(): Process {
    const { id: containerId, pid, state: status, io } = this
    const exit = this.#end.exit
    return { containerId, execId: '', pid, status, ...io, ...(exit === undefined ? {} : { exit }) }
  }

  /** Begins to look for a lack of memory, until the task is disposed of. */
  async watch(first: FirstProcess | undefined = this.#first): Promise<void> {
    const tell = () => this.emit({ topic: '/tasks/oom', payload: { containerId: this.id } })
    await first?.watch(this.#context.oom, tell)
  }

  [Symbol.dispose](): void {
    this.#first?.[Symbol.dispose]()
  }

  /** To be called when a process has ended, before that is told: a lack of memory that ended it is told first. */
  async checkMemory(): Promise<void> {
    try {
      await this.#first?.checkMemory()
    } catch (error) {
      this.warn('looking for a lack of memory', error)
    }
  }

  /** Keeps the record of a new task, and tells of it. */
  created(rootfs: readonly Mount[]): void {
    writeTask(this.bundle, this.#record)
    const { id: containerId, io, pid } = this
    const { path: bundle } = this.bundle
    const checkpoint = this.#record.restore?.images ?? ''
    this.emit({ topic: '/tasks/create', payload: { containerId, bundle, rootfs, io, checkpoint, pid } })
  }

  /** Begins to wait for the end of the first process, which then can be told. Without one it does nothing. */
  follow(): void {
    if (this.#first !== undefined) void this.#follow(this.#first)
  }

  /** Takes up what an earlier process has left, before `follow`. */
  async recover(state: TaskState): Promise<void> {
    const { started, exit } = this.#record
    // The start was seen through, and not told any more.
    if (!started && state !== 'created' && this.#first !== undefined) this.#started(this.#first)
    this.#state = state
    await this.execs.recover()
    if (exit !== undefined) {
      this.#state = 'stopped'
      this.#end.settle(exitOf(exit))
    }
  }

  start({ signal }: AbortOptions): Promise<{ readonly pid: number }> {
    return this.#turns.take(async () => {
      signal?.throwIfAborted()
      if (this.#state !== 'created') throw stateError('start', this.#state)
      const starting = this.#start({ signal })
      this.#starting = starting.catch(() => undefined)
      await starting
      return { pid: this.pid }
    })
  }

  async #start(options: AbortOptions): Promise<void> {
    const isMade = this.#first !== undefined
    const first = await this.#letRun({ ...options, adopt: (made) => this.watch(made) })
    const { size, inputEnded } = this.#asked
    if (size !== undefined) first.resize(size)
    this.#started(first)
    if (!isMade) this.follow()
    if (inputEnded === true) await first.closeStdin({})
  }

  wait(options: AbortOptions): Promise<ProcessExit> {
    return this.#end.wait(options)
  }

  /** Signals the first process. */
  async kill(signal: number): Promise<void> {
    const first = this.#running()
    if (this.#mustThaw(signal)) await this.runc.kill(this.id, signal)
    else first.signal(signal)
  }

  /** Signals all processes. */
  async killAll(signal: number): Promise<void> {
    const first = this.#running()
    if (this.#mustThaw(signal)) await this.runc.kill(this.id, signal, { all: true })
    else if ((await first.signalAll(signal)) === 0) throw finished()
  }

  /** Signals any process of the container, and none that is not. */
  killPid(pid: number, signal: number): void {
    if (!Number.isInteger(pid) || pid <= 0) throw new NsboxError('invalid_argument', `pid ${pid}`)
    if (this.#first === undefined) throw notStarted()
    this.#first.signalPid(pid, signal)
  }

  resize(size: TerminalSize): void {
    if (!this.io.terminal) throw new NsboxError('failed_precondition', 'process has no terminal')
    if (this.#first === undefined) this.#asked.size = size
    else if (this.#state !== 'stopped') this.#first.resize(size)
  }

  async closeStdin(options: AbortOptions): Promise<void> {
    this.#asked.inputEnded = true
    await this.#first?.closeStdin(options)
  }

  /** Adds a process. */
  addExec(id: string, io: ProcessIo, process: Uint8Array, { signal }: AbortOptions): Promise<void> {
    return this.#turns.take(async () => {
      signal?.throwIfAborted()
      if (this.#first === undefined || this.#state === 'stopped' || this.isFrozen)
        throw stateError('exec', this.#state)
      await this.execs.add(id, io, process)
    })
  }

  /** Runs a process that was added. */
  async launchExec(
    id: string,
    io: ProcessIo,
    files: ExecFiles,
    options: AbortOptions,
  ): Promise<SupervisedProcess> {
    if (this.#state === 'stopped') throw stateError('exec', this.#state)
    const { namespace, runc } = this
    const { choice } = this.#record
    const command = (paths: LaunchPaths) => runc.execArguments(this.id, { ...files, ...paths })
    const launch = { namespace, id: this.id, execId: id, io, choice, runc, log: files.log, command }
    return await launchProcess('exec', this.#context, launch, options)
  }

  pause({ signal }: AbortOptions): Promise<void> {
    return this.#turns.take(async () => {
      signal?.throwIfAborted()
      if (this.#state === 'paused') return
      if (this.#state !== 'running') throw stateError('pause', this.#state)
      this.#state = 'pausing'
      try {
        await this.runc.pause(this.id)
      } catch (error) {
        this.#become('running')
        throw error
      }
      this.#become('paused')
      this.emit({ topic: '/tasks/paused', payload: { containerId: this.id } })
    })
  }

  resume({ signal }: AbortOptions): Promise<void> {
    return this.#turns.take(async () => {
      signal?.throwIfAborted()
      if (this.#state === 'running') return
      if (this.#state !== 'paused') throw stateError('resume', this.#state)
      await this.runc.resume(this.id)
      this.#become('running')
      this.emit({ topic: '/tasks/resumed', payload: { containerId: this.id } })
    })
  }

  update(resources: Uint8Array, { signal }: AbortOptions): Promise<void> {
    return this.#turns.take(async () => {
      if (this.#first === undefined || this.#state === 'stopped') throw stateError('update', this.#state)
      await this.runc.update(this.id, resources, { signal })
    })
  }

  /** All processes, and which exec each was started by. */
  async processes(): Promise<ProcessInfo[]> {
    if (this.#state === 'stopped') throw new NsboxError('failed_precondition', 'process already finished')
    const pids = (await this.#first?.pids()) ?? []
    return processInfos(pids, this.execs.byPid)
  }

  /** What its cgroup tells; undefined if it has ended. */
  async metrics(): Promise<TaskMetrics | undefined> {
    if (this.#state === 'stopped') return undefined
    const data = await this.#first?.metrics()
    return data && { id: this.id, timestamp: new Date(), data }
  }

  /** Removes it with all that it has left, once it has stopped or if it was never started. */
  delete({ signal }: AbortOptions): Promise<ProcessExit & { readonly pid: number }> {
    return this.#turns.take(async () => {
      signal?.throwIfAborted()
      if (this.#state === 'created') await this.#endCreated()
      if (this.#first !== undefined && this.#state !== 'stopped') throw stateError('delete', this.#state)
      // What is written last is on its way while runc cleans up.
      await Promise.all([this.#deleteContainer(), this.#first?.drained()])
      await this.execs.discard()
      await this.#first?.release()
      await discardImages(this.#record.restore)
      // Last, since the record is in it: what fails before can be done again, after a restart as well.
      await this.bundle.remove()
      this.#state = 'stopped'
      const exit = this.#end.exit ?? { exitStatus: 0, exitedAt: new Date() }
      const { id: containerId, pid } = this
      this.emit({ topic: '/tasks/delete', payload: { containerId, id: '', pid, ...exit } })
      this.#end.abandon(new NsboxError('not_found', `task ${containerId} not found`))
      return { ...exit, pid }
    })
  }

  async #endCreated(): Promise<void> {
    if (this.#first === undefined) return
    try {
      this.#first.signal(9)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    await this.#end.wait()
  }

  supervised(key: string): SupervisedProcess | undefined {
    return this.#context.supervisor.process(key)
  }

  emit(event: DomainEvent): void {
    this.#context.onEvent(this.namespace, event)
  }

  warn(message: string, error: unknown): void {
    this.#context.onWarning(`task ${this.namespace}/${this.id}: ${message}`, error)
  }

  /** Does what has to do with the record, and must not keep from going on. */
  keep(write: () => void): void {
    try {
      write()
    } catch (error) {
      this.warn('its state cannot be written', error)
    }
  }

  #started(first: FirstProcess): void {
    const { pid } = first
    const { restore } = this.#record
    this.#first = first
    this.#become('running')
    this.#change({ started: true, pid, cgroups: first.place, restore: undefined })
    this.emit({ topic: '/tasks/start', payload: { containerId: this.id, pid } })
    // It may be much, and nobody need wait for it but those who want to see the task gone.
    void this.#turns
      .take(() => discardImages(restore))
      .catch((error) => this.warn('the images that it was restored from cannot be removed', error))
  }

  async #follow(first: FirstProcess): Promise<void> {
    if (this.#end.exit !== undefined) return
    const exit = await first.exit()
    await this.#starting
    if (this.#record.sharesPids) await this.#endOthers(first)
    await this.execs.ended()
    await this.checkMemory()
    this[Symbol.dispose]()
    this.#state = 'stopped'
    this.#change({ exit: storedExit(exit) })
    const { id, pid } = this
    this.emit({ topic: '/tasks/exit', payload: { containerId: id, id, pid, ...exit } })
    this.#end.settle(exit)
  }

  /** Without a pid namespace of its own, nothing but this ends the others with the first process. */
  async #endOthers(first: FirstProcess): Promise<void> {
    try {
      await first.signalAll(9)
    } catch (error) {
      this.warn('its processes cannot be ended', error)
    }
  }

  async #deleteContainer(): Promise<void> {
    try {
      // A start that failed may have left something that never was a container.
      await this.runc.delete(this.id, { force: this.#first === undefined })
    } catch (error) {
      // Somebody has used the runtime behind our back.
      if (!isNotFound(error)) throw error
    }
  }

  /** What is frozen does not die of a signal with cgroup v1; runc thaws it. */
  #mustThaw(signal: number): boolean {
    return this.isFrozen && signal === 9
  }

  /** What can be signalled. */
  #running(): FirstProcess {
    if (this.#state === 'stopped') throw finished()
    if (this.#first === undefined) throw notStarted()
    return this.#first
  }

  /** What has stopped stays so. */
  #become(state: TaskState): void {
    if (this.#state !== 'stopped') this.#state = state
  }

  #change(change: Partial<TaskRecord>): void {
    this.#record = { ...this.#record, ...change }
    this.keep(() => writeTask(this.bundle, this.#record))
  }
}
