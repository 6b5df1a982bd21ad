import type { AbortOptions } from '@nsbox/concurrency'
import type { Descriptor } from '@nsbox/oci'
import type { OpaqueValue } from '../opaque-value.ts'
import type { Mount } from '../snapshots/mount.ts'
import type { TaskMetrics } from './metrics.ts'
import type { Process, ProcessExit, ProcessInfo, ProcessIo } from './process.ts'

/** Selects a process of a task: the first one, unless an exec is named. */
export interface ProcessChoice extends AbortOptions {
  readonly execId?: string | undefined
}

/** How to make a task. */
export interface CreateTaskOptions extends Partial<ProcessIo>, AbortOptions {
  /** What to mount as the root filesystem; the container's snapshot if absent or empty. */
  readonly rootfs?: readonly Mount[] | undefined
  /** Options of the runtime, which take precedence over the container's. */
  readonly options?: OpaqueValue | undefined
  /**
   * The program of the runtime, in place of the one that its name stands for. For a server that is a shim: the program
   * that runc's shim, or the server itself, runs in place of runc is an option of the runtime.
   */
  readonly runtimePath?: string | undefined
  /** A checkpoint in the content store to restore. */
  readonly checkpoint?: Descriptor | undefined
}

/** How to add a process to a task. */
export interface ExecOptions extends Partial<ProcessIo>, AbortOptions {
  /** An OCI process as JSON, `types.containerd.io/opencontainers/runtime-spec/1/Process`. */
  readonly spec: OpaqueValue
}

/** The processes to signal. A `pid` comes alone. */
export interface KillOptions extends ProcessChoice {
  /** All processes of the container; not by default, and of no meaning with an `execId`. */
  readonly all?: boolean | undefined
  /**
   * Any process of the container, by its pid on the host. It is looked up in the container's cgroup, and signalled
   * without the risk that the pid was reused.
   */
  readonly pid?: number | undefined
}

/** What to change of a running task. */
export interface UpdateTaskOptions extends AbortOptions {
  /** OCI resources as JSON, `types.containerd.io/opencontainers/runtime-spec/1/LinuxResources`. */
  readonly resources?: OpaqueValue | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/** How to make a checkpoint. */
export interface CheckpointOptions extends AbortOptions {
  /** An earlier checkpoint that this one adds to; empty for none. */
  readonly parent?: string | undefined
  /** Options of the runtime, such as `containerd.runc.v1.CheckpointOptions`. */
  readonly options?: OpaqueValue | undefined
}

/**
 * The tasks of one namespace: the running processes of its containers, one task for each container that has any. Ids
 * are those of containers.
 *
 * A task is created, then started; it stays, stopped, after its first process has ended, until it is deleted. The same
 * holds for each exec. Events are published for all of it in the order create → start → exit → delete, and for an exec
 * exec-added → exec-started → exit → delete; each exit exactly once, and only of what was created successfully
 * (docs/behaviour.md §7, §13).
 *
 * All methods throw `not_found` for a container without a task, or a task without that exec, and `invalid_argument` for
 * malformed identifiers. The texts of state errors are those of containerd (docs/behaviour.md §1).
 */
export interface Tasks {
  /**
   * Makes the task of a container: its namespaces, cgroup and first process, which waits for `start`. Waits, within
   * bounds, until readers of the FIFOs for output have come. After an error nothing is left.
   *
   * @throws `already_exists`; `not_found` for the container or the checkpoint; `invalid_argument` for an invalid spec,
   * options or checkpoint; `failed_precondition` for a path by which the task could write to a snapshot that another
   * namespace relies on; `data_loss` for a damaged checkpoint; `unknown` with the runtime's own words
   */
  create(containerId: string, options?: CreateTaskOptions): Promise<{ readonly pid: number }>

  /**
   * Starts the first process, or an exec, and waits until its program has been executed, after the hooks that come
   * before it.
   *
   * @throws `failed_precondition` if it has been started before, or the task is not running
   */
  start(containerId: string, options?: ProcessChoice): Promise<{ readonly pid: number }>

  /**
   * Removes a task that has stopped, or was never started, with all that was made for it.
   * @returns how the first process ended
   * @throws `failed_precondition` while it runs
   */
  delete(containerId: string, options?: AbortOptions): Promise<ProcessExit & { readonly pid: number }>

  /** Removes an exec that has stopped, or was never started. @throws as `delete` */
  deleteProcess(
    containerId: string,
    execId: string,
    options?: AbortOptions,
  ): Promise<ProcessExit & { readonly pid: number }>

  /** Waits two seconds at most for a start that is under way; the state is `unknown` if that takes longer. */
  get(containerId: string, options?: ProcessChoice): Promise<Process>

  /** The first processes of all tasks, ordered by id, as `get` has them. */
  list(options?: AbortOptions): Promise<Process[]>

  /**
   * Sends a signal, by its number.
   * @throws `not_found` if the process has ended, or the pid is not the container's; `failed_precondition` before it is
   * started; `invalid_argument` for an unknown signal or more than one choice
   */
  kill(containerId: string, signal: number, options?: KillOptions): Promise<void>

  /**
   * Adds a process, which `start` starts.
   * @throws `already_exists` for the exec id; `failed_precondition` if the task is not running; `invalid_argument`
   */
  exec(containerId: string, execId: string, options: ExecOptions): Promise<void>

  /** Sets the size of a terminal, in characters. @throws `failed_precondition` without a terminal */
  resize(
    containerId: string,
    size: { readonly width: number; readonly height: number },
    options?: ProcessChoice,
  ): Promise<void>

  /**
   * Closes the server's own end of the standard input, which ends once the client has closed its end too; idempotent.
   */
  closeStdin(containerId: string, options?: ProcessChoice): Promise<void>

  /** Freezes all processes; idempotent. @throws `failed_precondition` if the task is not running */
  pause(containerId: string, options?: AbortOptions): Promise<void>

  /** Resumes frozen processes; idempotent. @throws `failed_precondition` if the task has stopped */
  resume(containerId: string, options?: AbortOptions): Promise<void>

  /** All processes that the container holds, ordered by pid; none after it has stopped. */
  pids(containerId: string, options?: AbortOptions): Promise<ProcessInfo[]>

  /** Changes the limits of the container's cgroup. @throws `failed_precondition` after it has stopped */
  update(containerId: string, options: UpdateTaskOptions): Promise<void>

  /**
   * Metrics of the tasks that match any of the filters (field `id`); of all running ones if there is no filter. A task
   * that ends meanwhile is left out.
   */
  metrics(filters?: readonly string[], options?: AbortOptions): Promise<TaskMetrics[]>

  /** Waits for the end of a process; resolves at once if it has ended. */
  wait(containerId: string, options?: ProcessChoice): Promise<ProcessExit>

  /**
   * Stores a checkpoint of a running task, which `create` can restore.
   * @returns descriptors of the processes' images and of the container's spec; none if the options name a directory.
   * The caller's lease holds them; without a lease they stay for at least an hour, until when something has to refer to
   * them.
   * @throws `unimplemented`, `failed_precondition`; `not_found` for the parent
   */
  checkpoint(containerId: string, options?: CheckpointOptions): Promise<Descriptor[]>
}
