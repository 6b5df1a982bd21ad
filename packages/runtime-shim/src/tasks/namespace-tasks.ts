import { unpackEventPayload } from '@nsbox/api/event-payload'
import { mayChangeMounts, outputFiles, pathsOfChanging, processIo, readSpecObject } from '@nsbox/bundle'
import { mapConcurrently } from '@nsbox/concurrency'
import type {
  AbortOptions,
  ExecOptions,
  GivenPaths,
  KillOptions,
  OpaqueValue,
  Process,
  ProcessChoice,
  ProcessExit,
  ProcessInfo,
  RuntimeCheckpointOptions,
  RuntimeTaskOptions,
  RuntimeTasks,
  TaskMetrics,
  UpdateTaskOptions,
} from '@nsbox/core/tasks'
import { isDeadlineExceeded, isNotFound, isNsboxError, NsboxError } from '@nsbox/errors'
import { parseListFilters } from '@nsbox/filters'
import { validateIdentifier } from '@nsbox/namespaces'
import { systemClock } from '@nsbox/time'
import { fromExit, fromState } from './convert.ts'
import { createTask } from './create-task.ts'
import { imagePathOfCheckpoint } from './image-paths.ts'
import type { ShimContext } from './shim-context.ts'
import type { ShimTask } from './shim-task.ts'

/** How many shims are asked at a time. */
const asked = 16
/** Milliseconds that a shim may take to describe its task; as in containerd. */
const stateTimeout = 2000

/** The tasks of one namespace, in their shims. The shims themselves refuse operations that a state forbids. */
export class NamespaceTasks implements RuntimeTasks {
  readonly #namespace: string
  readonly #context: ShimContext
  readonly #tasks = new Map<string, ShimTask>()
  readonly #making = new Map<string, { readonly signal?: AbortSignal; readonly through: Promise<unknown> }>()

  /** @internal use `ShimRuntime.namespace` */
  constructor(namespace: string, context: ShimContext) {
    this.#namespace = namespace
    this.#context = context
  }

  /** Adds a task, until nothing is left of it. @internal */
  add(task: ShimTask): void {
    this.#tasks.set(task.id, task)
    void task.gone.then(() => {
      if (this.#tasks.get(task.id) === task) this.#tasks.delete(task.id)
    })
  }

  has(id: string): boolean {
    return this.#tasks.has(id) || this.#making.has(id)
  }

  /** As `ShimRuntime.isNews`. */
  isNews(topic: string, event: OpaqueValue): boolean {
    if (topic !== '/tasks/exit') return true
    const { containerId, id } = exitOf(event)
    const task = containerId === id ? this.#tasks.get(String(id)) : undefined
    if (task === undefined) return true
    if (task.record.exitTold) return false
    task.change({ exitTold: true })
    return true
  }

  async create(id: string, options: RuntimeTaskOptions): Promise<{ readonly pid: number }> {
    options.signal?.throwIfAborted()
    validateIdentifier(id)
    if (this.has(id)) throw new NsboxError('already_exists', `task ${id}`)
    // The sandbox may have no task, and so no shim to share.
    const sandbox = this.#tasks.get(options.sandbox ?? '')
    const context = this.#context
    const creating = createTask({ namespace: this.#namespace, id, context, options, sandbox })
    this.#making.set(id, { signal: options.signal, through: Promise.allSettled([creating]) })
    try {
      const task = await creating
      this.add(task)
      task.follow()
      return { pid: task.record.pid }
    } finally {
      this.#making.delete(id)
    }
  }

  async start(id: string, { execId = '', signal }: ProcessChoice = {}): Promise<{ readonly pid: number }> {
    const task = this.#task(id)
    const { pid } = await task.call((shim) => shim.start({ id, execId }, { signal }), { signal })
    // A restored task has no process before its start.
    if (execId === '' && pid !== task.record.pid) task.change({ pid })
    return { pid }
  }

  async delete(id: string, options: AbortOptions = {}): Promise<ProcessExit & { readonly pid: number }> {
    return await this.#task(id).delete(options)
  }

  async deleteProcess(
    id: string,
    execId: string,
    { signal }: AbortOptions = {},
  ): Promise<ProcessExit & { readonly pid: number }> {
    validateIdentifier(execId)
    const answer = await this.#ask(id, (shim) => shim.delete({ id, execId }, { signal }), signal)
    return { ...fromExit(answer), pid: answer.pid }
  }

  /** The state is unknown if the shim does not answer in time, such as during long hooks. */
  async get(id: string, { execId = '', signal }: ProcessChoice = {}): Promise<Process> {
    const options = { signal, timeoutMs: stateTimeout }
    try {
      const state = await this.#ask(id, (shim) => shim.state({ id, execId }, options), signal)
      return fromState({ containerId: id, execId }, state)
    } catch (error) {
      signal?.throwIfAborted()
      if (!isDeadlineExceeded(error)) throw error
      const pid = execId === '' ? this.#task(id).record.pid : 0
      const io = { stdin: '', stdout: '', stderr: '', terminal: false }
      return { containerId: id, execId, pid, status: 'unknown', ...io }
    }
  }

  async list({ signal }: AbortOptions = {}): Promise<Process[]> {
    const found = await mapConcurrently(
      this.#sorted(),
      async ({ id }): Promise<Process | undefined> => {
        try {
          return await this.get(id, { signal })
        } catch (error) {
          // The task has been deleted meanwhile.
          if (isNotFound(error)) return undefined
          throw error
        }
      },
      { concurrency: asked, signal },
    )
    return found.filter((process) => process !== undefined)
  }

  /** A shim knows processes by their ids, so none can be signalled by its pid alone. */
  async kill(id: string, signal: number, options: KillOptions = {}): Promise<void> {
    const { execId = '', all = false, pid, signal: abort } = options
    if (pid !== undefined)
      throw new NsboxError('unimplemented', 'a signal to a process by its pid, by a shim')
    if (!Number.isInteger(signal) || signal < 0 || signal > 64)
      throw new NsboxError('invalid_argument', `signal ${signal}`)
    const request = { id, execId, signal, all: all && execId === '' }
    await this.#ask(id, (shim) => shim.kill(request, { signal: abort }), abort)
  }

  async exec(id: string, execId: string, { spec, signal, ...wanted }: ExecOptions): Promise<void> {
    const task = this.#task(id)
    validateIdentifier(execId)
    const io = processIo(wanted)
    const process = await readSpecObject(spec.value, 'process spec')
    const files = outputFiles(io)
    if (files.length > 0) await use(task, { mounts: [], files }, signal)
    if (mayChangeMounts(process)) await use(task, await pathsOfChanging(task.bundle), signal)
    await task.call((shim) => shim.exec({ id, execId, spec, ...io }, { signal }), { signal })
  }

  async resize(
    id: string,
    { width, height }: { readonly width: number; readonly height: number },
    { execId = '', signal }: ProcessChoice = {},
  ): Promise<void> {
    await this.#ask(id, (shim) => shim.resizePty({ id, execId, width, height }, { signal }), signal)
  }

  async closeStdin(id: string, { execId = '', signal }: ProcessChoice = {}): Promise<void> {
    await this.#ask(id, (shim) => shim.closeIO({ id, execId, stdin: true }, { signal }), signal)
  }

  async pause(id: string, { signal }: AbortOptions = {}): Promise<void> {
    await this.#ask(id, (shim) => shim.pause({ id }, { signal }), signal)
  }

  async resume(id: string, { signal }: AbortOptions = {}): Promise<void> {
    await this.#ask(id, (shim) => shim.resume({ id }, { signal }), signal)
  }

  async pids(id: string, { signal }: AbortOptions = {}): Promise<ProcessInfo[]> {
    const { processes } = await this.#ask(id, (shim) => shim.pids({ id }, { signal }), signal)
    return processes
      .map(({ pid, info }) => (info === undefined ? { pid } : { pid, info }))
      .sort((a, b) => a.pid - b.pid)
  }

  async update(id: string, { resources, annotations = {}, signal }: UpdateTaskOptions): Promise<void> {
    const request = { id, resources, annotations: { ...annotations } }
    await this.#ask(id, (shim) => shim.update(request, { signal }), signal)
  }

  async metrics(filters: readonly string[] = [], { signal }: AbortOptions = {}): Promise<TaskMetrics[]> {
    const filter = parseListFilters(filters)
    const wanted = this.#sorted().filter(({ id }) =>
      filter.match({
        field: ([name, ...rest]) => (name === 'id' && rest.length === 0 ? id : undefined),
      }),
    )
    const found = await mapConcurrently(
      wanted,
      async ({ id }): Promise<TaskMetrics | undefined> => {
        try {
          const { stats } = await this.#ask(id, (shim) => shim.stats({ id }, { signal }), signal)
          return stats && { id, timestamp: systemClock.stamp(), data: { opaque: stats } }
        } catch (error) {
          signal?.throwIfAborted()
          if (!isNsboxError(error)) throw error
          // The task has ended meanwhile, or has no metrics.
          return undefined
        }
      },
      { concurrency: asked, signal },
    )
    return found.filter((metrics) => metrics !== undefined)
  }

  async wait(id: string, { execId = '', signal }: ProcessChoice = {}): Promise<ProcessExit> {
    if (execId === '') return await this.#task(id).exit({ signal })
    return fromExit(await this.#ask(id, (shim) => shim.wait({ id, execId }, { signal }), signal))
  }

  async checkpoint(id: string, { options, parent, images, signal }: RuntimeCheckpointOptions): Promise<void> {
    const task = this.#task(id)
    if (parent !== undefined)
      throw new NsboxError('unimplemented', 'a checkpoint that adds to another, by a shim')
    const write = (path: string) =>
      task.call((shim) => shim.checkpoint({ id, path, options }, { signal }), { signal })
    const imagePath = imagePathOfCheckpoint(options)
    if (imagePath !== '') {
      const given = { mounts: [], directories: [imagePath] }
      // Nothing is written there after the call.
      using _ = await this.#context.uses.use(this.#namespace, given, { signal })
      await write(imagePath)
      return
    }
    await using directory = await this.#context.images.create()
    await write(directory.path)
    await images(directory.path, { signal })
  }

  /** Ends and deletes every task. */
  async endAll(): Promise<void> {
    await Promise.all(
      [...this.#tasks.values()].map(async ({ id }) => {
        const { status } = await this.get(id)
        if (status === 'paused') await this.resume(id)
        if (status !== 'stopped') {
          await this.kill(id, 9, { all: true })
          if (status !== 'created') await this.wait(id)
        }
        await this.delete(id)
      }),
    )
  }

  /** Leaves the tasks to a later process, after creations that are being undone. */
  async leave(): Promise<void> {
    const undone = [...this.#making.values()].filter(({ signal }) => signal?.aborted)
    await Promise.all([
      ...[...this.#tasks.values()].map((task) => task.leave()),
      ...undone.map(({ through }) => through),
    ])
  }

  async #ask<T>(
    id: string,
    ask: Parameters<typeof ShimTask.prototype.call<T>>[0],
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return await this.#task(id).call(ask, { signal })
  }

  #task(id: string): ShimTask {
    validateIdentifier(id)
    const task = this.#tasks.get(id)
    if (task === undefined) throw new NsboxError('not_found', `task ${id} not found`)
    return task
  }

  #sorted(): ShimTask[] {
    return [...this.#tasks.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  }
}

/** Registers paths that a task gets later. */
async function use(task: ShimTask, given: GivenPaths, signal: AbortSignal | undefined): Promise<void> {
  if (await task.uses.add(given, { signal })) task.change({ uses: task.uses.records })
}

/** The container and process of an exit event; empty for other events. */
function exitOf(event: OpaqueValue): { readonly containerId?: unknown; readonly id?: unknown } {
  try {
    return unpackEventPayload('/tasks/exit', event) ?? {}
  } catch {
    return {}
  }
}
