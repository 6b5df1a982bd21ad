import type { Bundles } from '@nsbox/bundle'
import { yieldBetween } from '@nsbox/concurrency'
import type {
  AbortOptions,
  ExecOptions,
  KillOptions,
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
import { NsboxError } from '@nsbox/errors'
import { parseListFilters } from '@nsbox/filters'
import { validateIdentifier } from '@nsbox/namespaces'
import { checkpointRequest } from '../options/checkpoint-request.ts'
import { createTask } from './create-task.ts'
import type { Exec } from './exec.ts'
import { newExec } from './new-exec.ts'
import { type RuntimeDefaults, runtimeChoice } from './runtime-choice.ts'
import type { Task } from './task.ts'
import type { TaskContext } from './task-context.ts'

/** The parts that the tasks of a namespace share. */
export interface NamespaceTasksOptions {
  readonly namespace: string
  readonly context: TaskContext
  readonly defaults: RuntimeDefaults
  readonly bundles: Bundles
}

/** The tasks of one namespace. */
export class NamespaceTasks implements RuntimeTasks {
  readonly #options: NamespaceTasksOptions
  readonly #tasks = new Map<string, Task>()
  /** Ids of tasks that are being made or taken over. */
  readonly #making = new Set<string>()

  constructor(options: NamespaceTasksOptions) {
    this.#options = options
  }

  /** Adds a task of an earlier process. */
  add(task: Task): void {
    this.#tasks.set(task.id, task)
  }

  has(id: string): boolean {
    return this.#tasks.has(id) || this.#making.has(id)
  }

  async create(id: string, options: RuntimeTaskOptions): Promise<{ readonly pid: number }> {
    options.signal?.throwIfAborted()
    validateIdentifier(id)
    if (this.has(id)) throw new NsboxError('already_exists', `task ${id}`)
    const { namespace, context, defaults, bundles } = this.#options
    context.shortcuts.expectMove()
    const choice = runtimeChoice(namespace, options.options, options.runtimePath, defaults)
    // It starts while the bundle is made. The launch waits for it, and tells why it does not start.
    if (choice.helperCgroup === undefined) context.supervisor.warm().catch(() => undefined)
    this.#making.add(id)
    try {
      const task = await createTask({ namespace, id, context, bundles, choice, options })
      this.#tasks.set(id, task)
      task.follow()
      return { pid: task.pid }
    } finally {
      this.#making.delete(id)
    }
  }

  async start(id: string, options: ProcessChoice = {}): Promise<{ readonly pid: number }> {
    if (options.execId) this.#options.context.shortcuts.expectMove()
    return await this.#process(id, options).start(options)
  }

  async delete(id: string, options: AbortOptions = {}): Promise<ProcessExit & { readonly pid: number }> {
    const task = this.#task(id)
    const deleted = await task.delete(options)
    this.#tasks.delete(id)
    return deleted
  }

  async deleteProcess(
    id: string,
    execId: string,
    options: AbortOptions = {},
  ): Promise<ProcessExit & { readonly pid: number }> {
    return await this.#task(id).execs.delete(execId, options)
  }

  async get(id: string, options: ProcessChoice = {}): Promise<Process> {
    options.signal?.throwIfAborted()
    return await this.#process(id, options).describe(options)
  }

  async list({ signal }: AbortOptions = {}): Promise<Process[]> {
    signal?.throwIfAborted()
    return await Promise.all(this.#sorted().map((task) => task.describe({ signal })))
  }

  async kill(id: string, signal: number, options: KillOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    const { execId = '', all = false, pid } = options
    const task = this.#task(id)
    if (pid !== undefined && (all || execId !== '')) {
      throw new NsboxError('invalid_argument', 'either a pid or an exec or all can be signalled')
    }
    if (!Number.isInteger(signal) || signal < 0 || signal > 64) {
      throw new NsboxError('invalid_argument', `signal ${signal}`)
    }
    if (pid !== undefined) task.signals.killPid(pid, signal)
    else if (execId !== '') task.execs.get(execId).kill(signal)
    else if (all) await task.signals.killAll(signal)
    else await task.signals.kill(signal)
  }

  async exec(id: string, execId: string, options: ExecOptions): Promise<void> {
    const task = this.#task(id)
    validateIdentifier(execId)
    this.#options.context.shortcuts.expectMove()
    await task.addExec(execId, await newExec(options), options)
  }

  async resize(
    id: string,
    size: { readonly width: number; readonly height: number },
    options: ProcessChoice = {},
  ): Promise<void> {
    options.signal?.throwIfAborted()
    this.#process(id, options).resize(size)
  }

  async closeStdin(id: string, options: ProcessChoice = {}): Promise<void> {
    await this.#process(id, options).closeStdin(options)
  }

  async pause(id: string, options: AbortOptions = {}): Promise<void> {
    await this.#task(id).pause(options)
  }

  async resume(id: string, options: AbortOptions = {}): Promise<void> {
    await this.#task(id).resume(options)
  }

  async pids(id: string, options: AbortOptions = {}): Promise<ProcessInfo[]> {
    options.signal?.throwIfAborted()
    return await this.#task(id).processes()
  }

  /** runc does not use annotations. */
  async update(id: string, { resources, signal }: UpdateTaskOptions): Promise<void> {
    const task = this.#task(id)
    if (resources !== undefined) await task.update(resources.value, { signal })
  }

  async metrics(filters: readonly string[] = [], { signal }: AbortOptions = {}): Promise<TaskMetrics[]> {
    const filter = parseListFilters(filters)
    signal?.throwIfAborted()
    const asked: Task[] = []
    for await (const task of yieldBetween(this.#sorted(), { signal })) {
      const field = ([name, ...rest]: readonly string[]) =>
        name === 'id' && rest.length === 0 ? task.id : undefined
      if (filter.match({ field })) asked.push(task)
    }
    const found = await Promise.all(asked.map((task) => task.metrics()))
    return found.filter((metrics) => metrics !== undefined)
  }

  async wait(id: string, options: ProcessChoice = {}): Promise<ProcessExit> {
    return await this.#process(id, options).wait(options)
  }

  async checkpoint(id: string, options: RuntimeCheckpointOptions): Promise<void> {
    await this.#task(id).checkpoint(checkpointRequest(options.options), options)
  }

  /** Ends and deletes every task. */
  async endAll(): Promise<void> {
    await Promise.all(
      [...this.#tasks.values()].map(async (task) => {
        if (task.state !== 'stopped' && task.pid !== 0) {
          await task.signals.killAll(9)
          await task.wait({})
        }
        await this.delete(task.id)
      }),
    )
  }

  #process(id: string, { execId = '' }: ProcessChoice): Task | Exec {
    const task = this.#task(id)
    return execId === '' ? task : task.execs.get(execId)
  }

  #task(id: string): Task {
    validateIdentifier(id)
    const task = this.#tasks.get(id)
    if (task === undefined) throw new NsboxError('not_found', `task ${id} not found`)
    return task
  }

  #sorted(): Task[] {
    return [...this.#tasks.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  }
}
