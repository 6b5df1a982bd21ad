import type { DomainEvent } from '@nsbox/core/events'
import type { Mount } from '@nsbox/core/snapshots'
import type {
  AbortOptions,
  Process,
  ProcessExit,
  ProcessInfo,
  ProcessIo,
  RuntimeCheckpointOptions,
  TaskMetrics,
} from '@nsbox/core/tasks'
import { isNotFound, NsboxError } from '@nsbox/errors'
import type { Bundle, ExecFiles } from '../bundle/bundle.ts'
import type { ContainerCgroup } from '../cgroups/container-cgroup.ts'
import type { OomWatch } from '../cgroups/oom/oom-watch.ts'
import { processInfos } from '../cgroups/process-infos.ts'
import { signalAll, signalProcess } from '../cgroups/signal-processes.ts'
import type { CheckpointRequest } from '../options/checkpoint-request.ts'
import type { Runc } from '../runc/runc.ts'
import type { LaunchPaths, SupervisedProcess, TerminalSize } from '../supervisor/supervisor.ts'
import type { ExecTask } from './exec.ts'
import { launchProcess } from './launch-process.ts'
import { ProcessEnd } from './process-end.ts'
import { finished, stateError, type TaskState } from './state-error.ts'
import { type CheckpointedTask, checkpointTask } from './task-checkpoint.ts'
import type { TaskContext } from './task-context.ts'
import { TaskExecs } from './task-execs.ts'
import { exitOf, storedExit, type TaskRecord, writeTask } from './task-record.ts'
import { Turns } from './turns.ts'

/** What a task is made of. */
export interface TaskParts {
  readonly namespace: string
  readonly id: string
  readonly context: TaskContext
  readonly runc: Runc
  readonly bundle: Bundle
  readonly record: TaskRecord
  readonly process: SupervisedProcess | undefined
  readonly cgroup: ContainerCgroup | undefined
}

/**
 * The task of one container: created → running ⇄ paused → stopped. What changes it takes turns; questions and signals do
 * not wait. The end of the first process is told once, after that of its execs and after any start that is under way.
 */
export class Task implements Disposable, ExecTask, CheckpointedTask {
  readonly namespace: string
  readonly id: string
  readonly io: ProcessIo
  readonly pid: number
  readonly runc: Runc
  readonly bundle: Bundle
  readonly cgroup: ContainerCgroup | undefined
  readonly execs: TaskExecs = new TaskExecs(this)
  readonly #context: TaskContext
  readonly #process: SupervisedProcess | undefined
  readonly #turns = new Turns()
  readonly #end = new ProcessEnd()
  #record: TaskRecord
  #state: TaskState = 'created'
  #starting: Promise<unknown> = Promise.resolve()
  #oom: OomWatch | undefined

  constructor(parts: TaskParts) {
    this.namespace = parts.namespace
    this.id = parts.id
    this.io = parts.record.io
    this.pid = parts.record.pid
    this.runc = parts.runc
    this.bundle = parts.bundle
    this.cgroup = parts.cgroup
    this.#context = parts.context
    this.#process = parts.process
    this.#record = parts.record
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
  async watch(): Promise<void> {
    const { cgroup } = this
    if (cgroup === undefined) return
    const tell = () => this.emit({ topic: '/tasks/oom', payload: { containerId: this.id } })
    this.#oom = await this.#context.oom.watch(cgroup, tell)
  }

  [Symbol.dispose](): void {
    this.#oom?.[Symbol.dispose]()
    this.#oom = undefined
  }

  /** To be called when a process has ended, before that is told: a lack of memory that ended it is told first. */
  async checkMemory(): Promise<void> {
    try {
      await this.#oom?.check()
    } catch (error) {
      this.warn('looking for a lack of memory', error)
    }
  }

  /** Keeps the record of a new task, and tells of it. */
  created(rootfs: readonly Mount[]): void {
    writeTask(this.bundle, this.#record)
    const { id: containerId, io, pid } = this
    const { path: bundle } = this.bundle
    this.emit({ topic: '/tasks/create', payload: { containerId, bundle, rootfs, io, checkpoint: '', pid } })
  }

  /** Begins to wait for the end of the first process, which then can be told. */
  follow(): void {
    void this.#follow()
  }

  /** Takes up what an earlier process has left, before `follow`. */
  async recover(state: TaskState): Promise<void> {
    const { started, exit } = this.#record
    // The start was seen through, and not told any more.
    if (!started && state !== 'created') this.#started()
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
      // Once begun it is seen through: half a start cannot be taken back.
      const starting = this.#letRun().then(() => this.#started())
      this.#starting = starting.catch(() => undefined)
      await starting
      return { pid: this.pid }
    })
  }

  async #letRun(): Promise<void> {
    if (this.io.stdin !== '' && !this.io.terminal) await this.#process?.keepStdin()
    await this.runc.start(this.id)
  }

  wait(options: AbortOptions): Promise<ProcessExit> {
    return this.#end.wait(options)
  }

  /** Signals the first process. */
  async kill(signal: number): Promise<void> {
    const process = this.#process
    if (this.#state === 'stopped' || process === undefined) throw finished()
    if (this.#mustThaw(signal)) await this.runc.kill(this.id, signal)
    else process.signal(signal)
  }

  /** Signals all processes. */
  async killAll(signal: number): Promise<void> {
    if (this.#state === 'stopped' || this.cgroup === undefined) throw finished()
    if (this.#mustThaw(signal)) await this.runc.kill(this.id, signal, { all: true })
    else if ((await signalAll(this.cgroup, signal)) === 0) throw finished()
  }

  /** Signals any process of the container, and none that is not. */
  async killPid(pid: number, signal: number): Promise<void> {
    if (!Number.isInteger(pid) || pid <= 0) throw new NsboxError('invalid_argument', `pid ${pid}`)
    if (this.cgroup === undefined) throw new NsboxError('not_found', `process ${pid} of the container`)
    await signalProcess(this.cgroup, pid, signal)
  }

  resize(size: TerminalSize): void {
    if (!this.io.terminal) throw new NsboxError('failed_precondition', 'process has no terminal')
    if (this.#state !== 'stopped') this.#process?.resize(size)
  }

  async closeStdin(options: AbortOptions): Promise<void> {
    await this.#process?.closeStdin(options)
  }

  /** Adds a process. */
  addExec(id: string, io: ProcessIo, process: Uint8Array, { signal }: AbortOptions): Promise<void> {
    return this.#turns.take(async () => {
      signal?.throwIfAborted()
      if (this.#state === 'stopped' || this.isFrozen) throw stateError('exec', this.#state)
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
    return await launchProcess(this.#context, launch, options)
  }

  pause({ signal }: AbortOptions): Promise<void> {
    return this.#turns.take(async () => {
      signal?.throwIfAborted()
      if (this.#state === 'paused') return
      if (this.#state !== 'running') throw stateError('pause', this.#state)
      await this.freeze()
      this.emit({ topic: '/tasks/paused', payload: { containerId: this.id } })
    })
  }

  /** Stops all processes of a running task. For whose turn it is. */
  async freeze(): Promise<void> {
    this.#state = 'pausing'
    try {
      await this.runc.pause(this.id)
    } catch (error) {
      this.become('running')
      throw error
    }
    this.become('paused')
  }

  resume({ signal }: AbortOptions): Promise<void> {
    return this.#turns.take(async () => {
      signal?.throwIfAborted()
      if (this.#state === 'running') return
      if (this.#state !== 'paused') throw stateError('resume', this.#state)
      await this.runc.resume(this.id)
      this.become('running')
      this.emit({ topic: '/tasks/resumed', payload: { containerId: this.id } })
    })
  }

  /** Writes images of its processes. */
  checkpoint(request: CheckpointRequest, options: RuntimeCheckpointOptions): Promise<void> {
    return this.#turns.take(async () => {
      options.signal?.throwIfAborted()
      if (this.#state !== 'running' && !this.isFrozen) throw stateError('checkpoint', this.#state)
      const checkpoint = await checkpointTask(this, this.#context.images, request, options)
      this.emit({ topic: '/tasks/checkpointed', payload: { containerId: this.id, checkpoint } })
    })
  }

  update(resources: Uint8Array, { signal }: AbortOptions): Promise<void> {
    return this.#turns.take(async () => {
      if (this.#state === 'stopped') throw stateError('update', this.#state)
      await this.runc.update(this.id, resources, { signal })
    })
  }

  /** All processes, and which exec each was started by. */
  async processes(): Promise<ProcessInfo[]> {
    if (this.#state === 'stopped') throw new NsboxError('failed_precondition', 'process already finished')
    const pids = (await this.cgroup?.pids()) ?? []
    return processInfos(pids, this.execs.byPid)
  }

  /** What its cgroup tells; undefined if it has ended. */
  async metrics(): Promise<TaskMetrics | undefined> {
    if (this.#state === 'stopped' || this.cgroup === undefined) return undefined
    try {
      return { id: this.id, timestamp: new Date(), data: await this.cgroup.metrics() }
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /** Removes it with all that it has left, once it has stopped or if it was never started. */
  delete({ signal }: AbortOptions): Promise<ProcessExit & { readonly pid: number }> {
    return this.#turns.take(async () => {
      signal?.throwIfAborted()
      if (this.#state === 'created') {
        this.#signalQuietly(9)
        await this.#end.wait()
      }
      if (this.#state !== 'stopped') throw stateError('delete', this.#state)
      // What is written last is on its way while runc cleans up.
      await Promise.all([this.#deleteContainer(), this.#process?.drained])
      await this.execs.discard()
      await this.#process?.release()
      // Last, since the record is in it: what fails before can be done again, after a restart as well.
      await this.bundle.remove()
      const exit = this.#end.exit!
      const { id: containerId, pid } = this
      this.emit({ topic: '/tasks/delete', payload: { containerId, id: '', pid, ...exit } })
      return { ...exit, pid }
    })
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

  #started(): void {
    this.become('running')
    this.#change({ started: true })
    this.emit({ topic: '/tasks/start', payload: { containerId: this.id, pid: this.pid } })
  }

  async #follow(): Promise<void> {
    if (this.#end.exit !== undefined) return
    const exit = (await this.#process?.exit) ?? { exitStatus: 255, exitedAt: new Date() }
    await this.#starting
    if (this.#record.sharesPids) await this.#endOthers()
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
  async #endOthers(): Promise<void> {
    try {
      if (this.cgroup !== undefined) await signalAll(this.cgroup, 9)
    } catch (error) {
      this.warn('its processes cannot be ended', error)
    }
  }

  async #deleteContainer(): Promise<void> {
    try {
      await this.runc.delete(this.id)
    } catch (error) {
      // Somebody has used the runtime behind our back.
      if (!isNotFound(error)) throw error
    }
  }

  /** What is frozen does not die of a signal with cgroup v1; runc thaws it. */
  #mustThaw(signal: number): boolean {
    return this.isFrozen && signal === 9
  }

  #signalQuietly(signal: number): void {
    try {
      this.#process?.signal(signal)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  /** Says what it has become, unless it has stopped. For whose turn it is. */
  become(state: TaskState): void {
    if (this.#state !== 'stopped') this.#state = state
  }

  #change(change: Partial<TaskRecord>): void {
    this.#record = { ...this.#record, ...change }
    this.keep(() => writeTask(this.bundle, this.#record))
  }
}
