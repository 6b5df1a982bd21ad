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

/** The runtimes of a server. */
export interface RuntimesParts {
  /** Runs tasks of runc's names under the server's own supervisor. */
  readonly runc: Pick<TaskRuntime, 'namespace'>
  readonly shims: Pick<TaskRuntime, 'namespace'>
  /** The shim that runs those of a namespace instead, as the name of a runtime or a path; undefined for none. */
  readonly runcShim: (namespace: string) => string | undefined
}

/** The runtimes of a server: runc by its names, and shims by all others and by their paths. */
export function runtimesOf({ runc, shims, runcShim }: RuntimesParts): Pick<TaskRuntime, 'namespace'> {
  return {
    namespace: (name) =>
      new TasksOfRuntimes({
        runc: runc.namespace(name),
        shims: shims.namespace(name),
        runcShim: runcShim(name),
      }),
  }
}

/** The tasks of a namespace in all runtimes. */
class TasksOfRuntimes implements RuntimeTasks {
  readonly #runc: RuntimeTasks
  readonly #shims: RuntimeTasks
  readonly #runcShim: string | undefined

  constructor({
    runc,
    shims,
    runcShim,
  }: Readonly<Record<'runc' | 'shims', RuntimeTasks>> & { readonly runcShim: string | undefined }) {
    this.#runc = runc
    this.#shims = shims
    this.#runcShim = runcShim
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
    if (shim === undefined) return await this.#runc.create(id, others)
    return await this.#shims.create(id, { ...others, runtimeName: shim })
  }

  start(id: string, options?: ProcessChoice): Promise<{ readonly pid: number }> {
    return this.#of(id).start(id, options)
  }

  delete(id: string, options?: AbortOptions): Promise<ProcessExit & { readonly pid: number }> {
    return this.#of(id).delete(id, options)
  }

  deleteProcess(
    id: string,
    execId: string,
    options?: AbortOptions,
  ): Promise<ProcessExit & { readonly pid: number }> {
    return this.#of(id).deleteProcess(id, execId, options)
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
    return this.#of(id).exec(id, execId, options)
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
    return this.#of(id).checkpoint(id, options)
  }

  /** The first runtime refuses ids that no runtime has. */
  #of(id: string): RuntimeTasks {
    return this.#shims.has(id) ? this.#shims : this.#runc
  }
}
