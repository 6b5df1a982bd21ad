import { type Bundle, outputFiles, pathsOfChanging, type TaskUses } from '@nsbox/bundle'
import type { DomainEvent } from '@nsbox/core/events'
import type { Mount } from '@nsbox/core/snapshots'
import type {
  AbortOptions,
  GivenPaths,
  Process,
  ProcessExit,
  ProcessInfo,
  ProcessIo,
  RuntimeCheckpointOptions,
  TaskMetrics,
} from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import type { TerminalSize } from '@nsbox/supervisor'
import { systemClock } from '@nsbox/time'
import { processInfos } from '../cgroups/process-infos.ts'
import type { CheckpointRequest } from '../options/checkpoint-request.ts'
import { requireHostRoot } from '../rootless/host-limits.ts'
import { pauseContainer } from '../runc/pause-container.ts'
import type { Runc } from '../runc/runc.ts'
import type { ExecTask } from './exec.ts'
import type { FirstProcess } from './first-process.ts'
import { pathsOfCheckpoint } from './given-paths.ts'
import type { NewExec } from './new-exec.ts'
import { ProcessEnd } from './process-end.ts'
import { discardImages } from './restore-source.ts'
import type { RuntimeChoice } from './runtime-choice.ts'
import { StartUnderWay } from './start-under-way.ts'
import { stateError, type TaskState } from './state-error.ts'
import { type CheckpointedTask, checkpointTask } from './task-checkpoint.ts'
import type { TaskContext } from './task-context.ts'
import { TaskExecs } from './task-execs.ts'
import { exitOf, storedExit, type TaskRecord, writeTask } from './task-record.ts'
import { TaskSignals } from './task-signals.ts'
import type { TaskStart } from './task-start.ts'
import { YieldingMutex } from './yielding-mutex.ts'

/** The parts of a task. */
export interface TaskParts {
  readonly namespace: string
  readonly id: string
  readonly context: TaskContext
  readonly runc: Runc
  readonly bundle: Bundle
  readonly record: TaskRecord
  /** Made by the start if the task is restored from a checkpoint. */
  readonly first: FirstProcess
  readonly start: TaskStart
  /** The paths of the host that it uses; released when it is gone. */
  readonly uses: TaskUses
}

/**
 * The task of one container: created → running ⇄ paused → stopped. Changes run one after another; questions and signals
 * do not wait. The end of the first process is reported once, after that of its execs and after any start that is under
 * way.
 */
export class Task implements Disposable, ExecTask, CheckpointedTask {
  readonly namespace: string
  readonly id: string
  readonly io: ProcessIo
  readonly runc: Runc
  readonly bundle: Bundle
  readonly context: TaskContext
  readonly execs: TaskExecs = new TaskExecs(this)
  readonly signals: TaskSignals
  readonly #first: FirstProcess
  readonly #start: TaskStart
  readonly #uses: TaskUses
  readonly #mutex = new YieldingMutex()
  readonly #end = new ProcessEnd()
  readonly #starting = new StartUnderWay()
  #record: TaskRecord
  #state: TaskState = 'created'

  constructor(parts: TaskParts) {
    this.namespace = parts.namespace
    this.id = parts.id
    this.io = parts.record.io
    this.runc = parts.runc
    this.bundle = parts.bundle
    this.context = parts.context
    this.#first = parts.first
    this.signals = new TaskSignals(this, parts.first)
    this.#start = parts.start
    this.#uses = parts.uses
    this.#record = parts.record
  }

  /** 0 until there is a process. */
  get pid(): number {
    return this.#first.pid
  }

  get state(): TaskState {
    return this.#state
  }

  /** The program that it was made with. */
  get choice(): RuntimeChoice {
    return this.#record.choice
  }

  get isFrozen(): boolean {
    return this.#state === 'paused' || this.#state === 'pausing'
  }

  /** The first process for clients; the state is unknown if a start that is under way takes long. */
  async describe(options: AbortOptions = {}): Promise<Process> {
    const settled = await this.#starting.settled(options)
    const { id: containerId, pid, state, io } = this
    const status = settled ? state : 'unknown'
    const exit = this.#end.exit
    return { containerId, execId: '', pid, status, ...io, ...(exit === undefined ? {} : { exit }) }
  }

  [Symbol.dispose](): void {
    this.#first[Symbol.dispose]()
  }

  /** To be called when a process has ended, before that is reported: running out of memory is reported first. */
  checkMemory(): void {
    this.#first.checkMemory()
  }

  /** Writes the record of a new task, and emits its event. */
  created(rootfs: readonly Mount[]): void {
    writeTask(this.bundle, this.#record)
    const { id: containerId, io, pid } = this
    const { path: bundle } = this.bundle
    const checkpoint = this.#record.restore?.images ?? ''
    this.emit({ topic: '/tasks/create', payload: { containerId, bundle, rootfs, io, checkpoint, pid } })
  }

  /** Waits for the end of the first process in the background, and reports it. Does nothing without a process. */
  follow(): void {
    if (this.#first.isMade) void this.#follow()
  }

  /** Takes over the state of an earlier process, before `follow`. */
  async recover(state: TaskState): Promise<void> {
    const { started, exit } = this.#record
    // The start succeeded, but was not reported.
    if (!started && state !== 'created') this.#started()
    this.#state = state
    await this.execs.recover()
    if (exit !== undefined) {
      this.#state = 'stopped'
      this.#end.settle(exitOf(exit))
    }
  }

  start({ signal }: AbortOptions): Promise<{ readonly pid: number }> {
    return this.#mutex.run({ signal }, async () => {
      if (this.#state !== 'created') throw stateError('start', this.#state)
      const isFollowed = this.#first.isMade
      await this.#starting.run(async () => {
        await this.#start.run(this.#first, { signal })
        this.#started()
      })
      if (!isFollowed) this.follow()
      return { pid: this.pid }
    })
  }

  wait(options: AbortOptions): Promise<ProcessExit> {
    return this.#end.wait(options)
  }

  resize(size: TerminalSize): void {
    if (!this.io.terminal) throw new NsboxError('failed_precondition', 'process has no terminal')
    if (this.#state !== 'stopped') this.#first.resize(size)
  }

  async closeStdin(options: AbortOptions): Promise<void> {
    await this.#first.closeStdin(options)
  }

  /** Adds a process. */
  addExec(id: string, exec: NewExec, { signal }: AbortOptions): Promise<void> {
    return this.#mutex.run({ signal }, async () => {
      if (this.#state === 'stopped' || this.isFrozen || !this.#first.isMade)
        throw stateError('exec', this.#state)
      const files = outputFiles(exec.io)
      if (files.length > 0) await this.#use({ mounts: [], files }, signal)
      if (exec.changesMounts) await this.#use(await pathsOfChanging(this.bundle), signal)
      await this.execs.add(id, exec.io, exec.process)
    })
  }

  async #use(given: GivenPaths, signal: AbortSignal | undefined): Promise<void> {
    if (await this.#uses.add(given, { signal })) this.#change({ uses: this.#uses.records })
  }

  pause({ signal }: AbortOptions): Promise<void> {
    return this.#mutex.run({ signal }, async () => {
      if (this.#state === 'paused') return
      if (this.#state !== 'running') throw stateError('pause', this.#state)
      await this.freeze()
      this.emit({ topic: '/tasks/paused', payload: { containerId: this.id } })
    })
  }

  /** Freezes all processes of a running task. Only within the task's mutex. */
  async freeze(): Promise<void> {
    if (this.#first.lacksCgroup)
      throw new NsboxError(
        'failed_precondition',
        `container ${this.id} cannot be paused without a cgroup, and none is delegated to the user of the server`,
      )
    this.#state = 'pausing'
    try {
      await pauseContainer(this.runc, this.id)
    } catch (error) {
      this.become('running')
      throw error
    }
    this.become('paused')
  }

  resume({ signal }: AbortOptions): Promise<void> {
    return this.#mutex.run({ signal }, async () => {
      if (this.#state === 'running') return
      if (this.#state !== 'paused') throw stateError('resume', this.#state)
      await this.runc.resume(this.id)
      this.become('running')
      this.emit({ topic: '/tasks/resumed', payload: { containerId: this.id } })
    })
  }

  /** Writes images of its processes. */
  checkpoint(request: CheckpointRequest, options: RuntimeCheckpointOptions): Promise<void> {
    return this.#mutex.run(options, async () => {
      requireHostRoot('a checkpoint')
      if (this.#state !== 'running' && !this.isFrozen) throw stateError('checkpoint', this.#state)
      // Nothing is written there after the call.
      using _ = await this.context.uses.use(this.namespace, pathsOfCheckpoint(request), options)
      const checkpoint = await checkpointTask(this, this.context.images, request, options)
      this.emit({ topic: '/tasks/checkpointed', payload: { containerId: this.id, checkpoint } })
    })
  }

  update(resources: Uint8Array, { signal }: AbortOptions): Promise<void> {
    return this.#mutex.run({ signal }, async () => {
      if (this.#state === 'stopped' || !this.#first.isMade) throw stateError('update', this.#state)
      await this.runc.update(this.id, resources, { signal })
    })
  }

  /** All processes, with the ids of their execs; none once it has stopped. */
  async processes(): Promise<ProcessInfo[]> {
    if (this.#state === 'stopped') return []
    return processInfos(await this.#pids(), this.execs.byPid)
  }

  /** The metrics of its cgroup; undefined if it has ended. */
  async metrics(): Promise<TaskMetrics | undefined> {
    if (this.#state === 'stopped') return undefined
    const data = await this.#first.metrics()
    return data && { id: this.id, timestamp: systemClock.stamp(), data }
  }

  /** Removes it with its files, once it has stopped or if it was never started. */
  delete({ signal }: AbortOptions): Promise<ProcessExit & { readonly pid: number }> {
    return this.#mutex.run({ signal }, async () => {
      if (this.#state === 'created' && this.#first.isMade) {
        this.#first.kill()
        await this.#end.wait()
      }
      if (this.#first.isMade && this.#state !== 'stopped') throw stateError('delete', this.#state)
      // The last output is passed on while runc cleans up.
      await Promise.all([this.#start.remove(this.#first), this.#first.drained()])
      await this.#first.release()
      await this.execs.discard()
      await discardImages(this.#record.restore)
      // Last, since it contains the record: an earlier failure can be repaired by another call, even after a restart.
      await this.bundle.remove()
      this.#uses.release()
      this.#state = 'stopped'
      const exit = this.#end.exit ?? { exitStatus: 0, exitedAt: systemClock.stamp() }
      const { id: containerId, pid } = this
      this.emit({ topic: '/tasks/delete', payload: { containerId, id: '', pid, ...exit } })
      this.#end.abandon(new NsboxError('not_found', `task ${containerId} not found`))
      return { ...exit, pid }
    })
  }

  emit(event: DomainEvent): void {
    this.context.onEvent(this.namespace, event)
  }

  warn(message: string, error: unknown): void {
    this.context.onWarning(`task ${this.namespace}/${this.id}: ${message}`, error)
  }

  /** Writes records; a failure becomes a warning, and the work goes on. */
  keep(write: () => void): void {
    try {
      write()
    } catch (error) {
      this.warn('its state cannot be written', error)
    }
  }

  #pids(): Promise<number[]> {
    const { context, runc, id } = this
    const { isMade, lacksCgroup } = this.#first
    const isForRunc = isMade && !lacksCgroup && !context.shortcuts.areTakenFor(runc)
    return isForRunc ? runc.ps(id) : this.#first.pids()
  }

  #started(): void {
    const { restore } = this.#record
    this.become('running')
    this.#change({ started: true, ...this.#first.recorded, restore: undefined })
    this.emit({ topic: '/tasks/start', payload: { containerId: this.id, pid: this.pid } })
    if (restore === undefined) return
    // It may be large; only a deletion waits for it.
    void this.#mutex
      .run({}, () => discardImages(restore))
      .catch((error) => this.warn('the images that it was restored from cannot be removed', error))
  }

  async #follow(): Promise<void> {
    if (this.#end.exit !== undefined) return
    const exit = await this.#first.exit()
    await this.#starting.through
    // Without a pid namespace of its own, the other processes do not end with the first one by themselves.
    if (this.#record.sharesPids) await this.#first.killAll()
    await this.execs.ended()
    this.checkMemory()
    this[Symbol.dispose]()
    this.#state = 'stopped'
    this.#change({ exit: storedExit(exit) })
    const { id, pid } = this
    this.emit({ topic: '/tasks/exit', payload: { containerId: id, id, pid, ...exit } })
    this.#end.settle(exit)
  }

  /** Sets the state, unless it has stopped. Only within the task's mutex. */
  become(state: TaskState): void {
    if (this.#state !== 'stopped') this.#state = state
  }

  #change(change: Partial<TaskRecord>): void {
    this.#record = { ...this.#record, ...change }
    this.keep(() => writeTask(this.bundle, this.#record))
  }
}
