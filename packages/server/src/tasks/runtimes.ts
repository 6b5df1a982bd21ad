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
  TaskRuntime,
  UpdateTaskOptions,
} from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import { isRuntimeName } from '../runtime-names.ts'
import type { OpenSpan, SpanFacts, Tracer } from '../tracing/tracer.ts'

/** The runtimes of a server. */
export interface RuntimesParts {
  /** Runs tasks of runc's names under the server's own supervisor. */
  readonly runc: Pick<TaskRuntime, 'namespace'>
  readonly shims: Pick<TaskRuntime, 'namespace'>
  /** The shim that runs those of a namespace instead, as the name of a runtime or a path; undefined for none. */
  readonly runcShim: (namespace: string) => string | undefined
  /** Records the work on tasks, whoever asks for it: a call, or the monitor that restarts containers. */
  readonly tracer: Tracer
}

/** The runtimes of a server: runc by its names, and shims by all others and by their paths. */
export function runtimesOf({ runc, shims, runcShim, tracer }: RuntimesParts): Pick<TaskRuntime, 'namespace'> {
  return {
    namespace: (name) =>
      new TasksOfRuntimes({
        runc: runc.namespace(name),
        shims: shims.namespace(name),
        runcShim: runcShim(name),
        namespace: name,
        tracer,
      }),
  }
}

/** The tasks of a namespace in each runtime. */
interface TasksParts extends Pick<RuntimesParts, 'tracer'> {
  readonly runc: RuntimeTasks
  readonly shims: RuntimeTasks
  readonly runcShim: string | undefined
  readonly namespace: string
}

/** The tasks of a namespace in all runtimes. */
class TasksOfRuntimes implements RuntimeTasks {
  readonly #runc: RuntimeTasks
  readonly #shims: RuntimeTasks
  readonly #runcShim: string | undefined
  readonly #namespace: string
  readonly #tracer: Tracer

  constructor({ runc, shims, runcShim, namespace, tracer }: TasksParts) {
    this.#runc = runc
    this.#shims = shims
    this.#runcShim = runcShim
    this.#namespace = namespace
    this.#tracer = tracer
  }

  has(id: string): boolean {
    return this.#runc.has(id) || this.#shims.has(id)
  }

  async create(id: string, options: RuntimeTaskOptions): Promise<{ readonly pid: number }> {
    // The name of the container may have changed since another runtime made a task of it.
    if (this.has(id)) throw new NsboxError('already_exists', `task ${id}`)
    // The path of a runtime's program is that of a shim, in place of the one that the name stands for.
    const { runtimePath, ...others } = options
    const given = runtimePath ?? options.runtimeName
    const shim = given === undefined || isRuntimeName(given) ? this.#runcShim : given
    return await this.#withPid('nsbox.task.create', [id], () =>
      shim === undefined
        ? this.#runc.create(id, others)
        : this.#shims.create(id, { ...others, runtimeName: shim }),
    )
  }

  start(id: string, options?: ProcessChoice): Promise<{ readonly pid: number }> {
    const of = [id, options?.execId] as const
    return this.#withPid('nsbox.task.start', of, () => this.#of(id).start(id, options))
  }

  delete(id: string, options?: AbortOptions): Promise<ProcessExit & { readonly pid: number }> {
    return this.#withPid('nsbox.task.delete', [id], () => this.#of(id).delete(id, options))
  }

  deleteProcess(
    id: string,
    execId: string,
    options?: AbortOptions,
  ): Promise<ProcessExit & { readonly pid: number }> {
    return this.#withPid('nsbox.task.delete', [id, execId], () =>
      this.#of(id).deleteProcess(id, execId, options),
    )
  }

  get(id: string, options?: ProcessChoice): Promise<Process> {
    return this.#of(id).get(id, options)
  }

  async list(options?: AbortOptions): Promise<Process[]> {
    const listed = await Promise.all([this.#runc.list(options), this.#shims.list(options)])
    return listed.flat().sort((a, b) => (a.containerId < b.containerId ? -1 : 1))
  }

  kill(id: string, signal: number, options?: KillOptions): Promise<void> {
    return this.#of(id).kill(id, signal, options)
  }

  exec(id: string, execId: string, options: ExecOptions): Promise<void> {
    return this.#traced('nsbox.task.exec', [id, execId], () => this.#of(id).exec(id, execId, options))
  }

  resize(
    id: string,
    size: { readonly width: number; readonly height: number },
    options?: ProcessChoice,
  ): Promise<void> {
    return this.#of(id).resize(id, size, options)
  }

  closeStdin(id: string, options?: ProcessChoice): Promise<void> {
    return this.#of(id).closeStdin(id, options)
  }

  pause(id: string, options?: AbortOptions): Promise<void> {
    return this.#of(id).pause(id, options)
  }

  resume(id: string, options?: AbortOptions): Promise<void> {
    return this.#of(id).resume(id, options)
  }

  pids(id: string, options?: AbortOptions): Promise<ProcessInfo[]> {
    return this.#of(id).pids(id, options)
  }

  update(id: string, options: UpdateTaskOptions): Promise<void> {
    return this.#of(id).update(id, options)
  }

  async metrics(filters?: readonly string[], options?: AbortOptions): Promise<TaskMetrics[]> {
    const runtimes = [this.#runc, this.#shims]
    const found = await Promise.all(runtimes.map((runtime) => runtime.metrics(filters, options)))
    return found.flat().sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  wait(id: string, options?: ProcessChoice): Promise<ProcessExit> {
    return this.#of(id).wait(id, options)
  }

  checkpoint(id: string, options: RuntimeCheckpointOptions): Promise<void> {
    return this.#traced('nsbox.task.checkpoint', [id], () => this.#of(id).checkpoint(id, options))
  }

  #traced<T>(
    name: string,
    [id, execId]: readonly [id: string, execId?: string | undefined],
    work: (span: OpenSpan) => Promise<T>,
  ): Promise<T> {
    const facts = (): SpanFacts => ({
      'nsbox.namespace': this.#namespace,
      'nsbox.container': id,
      'nsbox.exec': execId || undefined,
    })
    return this.#tracer.span(name, facts, work)
  }

  #withPid<T extends { readonly pid: number }>(
    name: string,
    of: readonly [id: string, execId?: string | undefined],
    work: () => Promise<T>,
  ): Promise<T> {
    return this.#traced(name, of, async (span) => {
      const result = await work()
      span.add({ 'nsbox.pid': result.pid })
      return result
    })
  }

  /** The first runtime refuses ids that no runtime has. */
  #of(id: string): RuntimeTasks {
    return this.#shims.has(id) ? this.#shims : this.#runc
  }
}
