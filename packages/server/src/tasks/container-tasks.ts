import type { Container, ContainerStore } from '@nsbox/core/containers'
import type { ContentStore } from '@nsbox/core/content'
import type { LeaseStore } from '@nsbox/core/leases'
import type { Mount, Snapshotter } from '@nsbox/core/snapshots'
import type {
  AbortOptions,
  CheckpointOptions,
  CreateTaskOptions,
  ExecOptions,
  KillOptions,
  Process,
  ProcessChoice,
  ProcessExit,
  ProcessInfo,
  RuntimeTasks,
  TaskMetrics,
  Tasks,
  UpdateTaskOptions,
} from '@nsbox/core/tasks'
import { isNotFound, NsboxError } from '@nsbox/errors'
import type { Descriptor } from '@nsbox/oci'
import type { TaskRootfs } from '../mounts/mount-manager.ts'
import { isRuntimeName } from '../runtime-names.ts'
import type { NamespacedSandboxes } from '../sandboxes/running-sandboxes.ts'
import { CheckpointLease } from './checkpoints/checkpoint-lease.ts'
import { findCheckpoint, findParent } from './checkpoints/find-checkpoint.ts'
import { storeCheckpoint } from './checkpoints/store-checkpoint.ts'
import { optionsOfCheckpoint, optionsOfTask } from './linux-options.ts'

/** The parts that the tasks of a namespace's containers use. */
export interface ContainerTasksParts {
  readonly containers: Pick<ContainerStore, 'get'>
  readonly runtime: RuntimeTasks
  /** Activates mounts for root filesystems of tasks, and ends them. */
  readonly mounts: {
    forTask(id: string, rootfs: readonly Mount[], options: AbortOptions): Promise<TaskRootfs>
    endTask(id: string): Promise<void>
  }
  /** The namespace's sandboxes that have been created. */
  readonly sandboxes: Pick<NamespacedSandboxes, 'status'>
  /** The namespace's content store. The lease holds what it makes. */
  readonly content: (lease?: string) => ContentStore
  readonly leases: LeaseStore
  /** The caller's lease. */
  readonly lease?: string | undefined
  /** The namespace's snapshots of one snapshotter. @throws `invalid_argument` for an unknown name */
  readonly snapshotter: (name: string) => Pick<Snapshotter, 'mounts'>
  /** Throws if the caller may not make a task of a container; any by default. */
  readonly admit?: ((container: Container) => void) | undefined
}

/** Tasks of containers: looks up what the runtime needs of a container, and passes all other calls on. */
export class ContainerTasks implements Tasks {
  readonly #parts: ContainerTasksParts

  constructor(parts: ContainerTasksParts) {
    this.#parts = parts
  }

  async create(
    id: string,
    { checkpoint, ...options }: CreateTaskOptions = {},
  ): Promise<{ readonly pid: number }> {
    const { containers, runtime, mounts, admit } = this.#parts
    const container = await containers.get(id, { signal: options.signal })
    admit?.(container)
    if (container.sandbox !== '') await this.#requireSandbox(container.sandbox, options)
    const restore = checkpoint && (await findCheckpoint(this.#parts.content(), checkpoint, options))
    const rootfs = await mounts.forTask(id, await this.#rootfs(container, options), options)
    try {
      return await runtime.create(id, {
        ...options,
        restore,
        rootfs: rootfs.mounts,
        runtimeName: container.runtime.name,
        sandbox: container.sandbox,
        spec: container.spec,
        options: isRuntimeName(container.runtime.name)
          ? optionsOfTask(options.options, container.runtime.options)
          : (options.options ?? container.runtime.options),
      })
    } catch (error) {
      if (rootfs.isActivated) await mounts.endTask(id)
      throw error
    }
  }

  start(id: string, options?: ProcessChoice): Promise<{ readonly pid: number }> {
    return this.#parts.runtime.start(id, options)
  }

  async delete(id: string, options?: AbortOptions): Promise<ProcessExit & { readonly pid: number }> {
    const exit = await this.#parts.runtime.delete(id, options)
    await this.#parts.mounts.endTask(id)
    return exit
  }

  deleteProcess(
    id: string,
    execId: string,
    options?: AbortOptions,
  ): Promise<ProcessExit & { readonly pid: number }> {
    return this.#parts.runtime.deleteProcess(id, execId, options)
  }

  get(id: string, options?: ProcessChoice): Promise<Process> {
    return this.#parts.runtime.get(id, options)
  }

  list(options?: AbortOptions): Promise<Process[]> {
    return this.#parts.runtime.list(options)
  }

  kill(id: string, signal: number, options?: KillOptions): Promise<void> {
    return this.#parts.runtime.kill(id, signal, options)
  }

  exec(id: string, execId: string, options: ExecOptions): Promise<void> {
    return this.#parts.runtime.exec(id, execId, options)
  }

  resize(
    id: string,
    size: { readonly width: number; readonly height: number },
    options?: ProcessChoice,
  ): Promise<void> {
    return this.#parts.runtime.resize(id, size, options)
  }

  closeStdin(id: string, options?: ProcessChoice): Promise<void> {
    return this.#parts.runtime.closeStdin(id, options)
  }

  pause(id: string, options?: AbortOptions): Promise<void> {
    return this.#parts.runtime.pause(id, options)
  }

  resume(id: string, options?: AbortOptions): Promise<void> {
    return this.#parts.runtime.resume(id, options)
  }

  pids(id: string, options?: AbortOptions): Promise<ProcessInfo[]> {
    return this.#parts.runtime.pids(id, options)
  }

  update(id: string, options: UpdateTaskOptions): Promise<void> {
    return this.#parts.runtime.update(id, options)
  }

  metrics(filters?: readonly string[], options?: AbortOptions): Promise<TaskMetrics[]> {
    return this.#parts.runtime.metrics(filters, options)
  }

  wait(id: string, options?: ProcessChoice): Promise<ProcessExit> {
    return this.#parts.runtime.wait(id, options)
  }

  async checkpoint(
    id: string,
    { parent = '', options, signal }: CheckpointOptions = {},
  ): Promise<Descriptor[]> {
    const { containers, runtime, content, leases, lease: callers } = this.#parts
    const { spec, runtime: named } = await containers.get(id, { signal })
    const added = parent === '' ? undefined : await findParent(content(), parent, { signal })
    const lease = new CheckpointLease(leases, callers)
    let stored: Descriptor[] = []
    try {
      await runtime.checkpoint(id, {
        options: isRuntimeName(named.name) ? optionsOfCheckpoint(options) : options,
        parent: added,
        signal,
        images: async (images, during) => {
          stored = await storeCheckpoint(content(await lease.id(during)), { images, spec }, during)
          return stored[0]!.digest
        },
      })
    } catch (error) {
      await lease.drop()
      throw error
    }
    return stored
  }

  /**
   * The containers of a sandbox share the shim of its task, if it has one. With runc all tasks share one supervisor, so
   * the sandbox, or its task, only has to exist.
   */
  async #requireSandbox(id: string, { signal }: AbortOptions): Promise<void> {
    const { runtime, sandboxes } = this.#parts
    try {
      await sandboxes.status(id, { signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
      try {
        await runtime.get(id, { signal })
      } catch (cause) {
        if (!isNotFound(cause)) throw cause
        throw new NsboxError('not_found', `sandbox ${JSON.stringify(id)}`, { cause })
      }
    }
  }

  /** The mounts that the caller gives, else those of the container's snapshot; none if the spec names a directory. */
  async #rootfs(
    { snapshotter, snapshotKey }: Container,
    { rootfs = [], signal }: CreateTaskOptions,
  ): Promise<readonly Mount[]> {
    if (rootfs.length > 0 || snapshotKey === '') return rootfs
    return await this.#parts.snapshotter(snapshotter).mounts(snapshotKey, { signal })
  }
}
