import type { Bundle, BundleLog, Bundles, ImageDirectories } from '@nsbox/bundle'
import type { DomainEvent } from '@nsbox/core/events'
import type { PathUses, RuntimeInfo, RuntimeInfoOptions, TaskRuntime } from '@nsbox/core/tasks'
import type { Supervisor, SupervisorStatistics } from '@nsbox/supervisor'
import type { CgroupHost } from './cgroups/cgroup-host.ts'
import type { OomWatcher } from './cgroups/oom/oom-watch.ts'
import type { HostLimits } from './rootless/host-limits.ts'
import { Runc } from './runc/runc.ts'
import { VersionWarnings } from './runc/version-warnings.ts'
import type { Shortcuts } from './runc-internals/shortcuts.ts'
import { NamespaceTasks } from './tasks/namespace-tasks.ts'
import { recoverTasks } from './tasks/recover-tasks.ts'
import type { RuntimeDefaults } from './tasks/runtime-choice.ts'
import { runtimeInfo } from './tasks/runtime-info.ts'
import type { TaskContext } from './tasks/task-context.ts'
import { readTask } from './tasks/task-record.ts'
import { undoDumps } from './tasks/undo-dumps.ts'

/** The parts of a runtime. */
export interface RuncRuntimeParts {
  readonly supervisor: Supervisor
  /** As in `TaskContext`. */
  readonly limits: HostLimits | undefined
  readonly shortcuts: Shortcuts
  readonly bundles: Bundles
  readonly cgroups: CgroupHost
  readonly images: ImageDirectories
  /** The log of all bundles. */
  readonly log: BundleLog
  /** The file `shim-binary-path` of all bundles; undefined for none. */
  readonly shimPathFile: string | undefined
  readonly defaults: RuntimeDefaults
  readonly uses: PathUses
  readonly onEvent: (namespace: string, event: DomainEvent) => void
  readonly onWarning: (message: string, error?: unknown) => void
  readonly onKnownEscapes?: ((message: string) => void) | undefined
}

/** Runs tasks with runc, under one supervisor. */
export class RuncRuntime implements TaskRuntime {
  readonly #parts: RuncRuntimeParts
  readonly #oom: OomWatcher
  readonly #versions: VersionWarnings | undefined
  readonly #context: TaskContext
  readonly #namespaces = new Map<string, NamespaceTasks>()

  constructor(parts: RuncRuntimeParts) {
    const { supervisor, shortcuts, cgroups, images, log, shimPathFile, uses, onEvent, onWarning } = parts
    this.#parts = parts
    this.#oom = cgroups.oomWatcher(onWarning)
    this.#versions = parts.onKnownEscapes && new VersionWarnings(parts.onKnownEscapes)
    this.#context = {
      ...{ supervisor, shortcuts, cgroups, images, uses, onEvent, onWarning },
      shared: shimPathFile === undefined ? [log.path] : [log.path, shimPathFile],
      ...{ oom: this.#oom, versions: this.#versions, limits: parts.limits },
    }
  }

  namespace(name: string): NamespaceTasks {
    const existing = this.#namespaces.get(name)
    if (existing !== undefined) return existing
    const { bundles, defaults } = this.#parts
    const tasks = new NamespaceTasks({ namespace: name, context: this.#context, defaults, bundles })
    this.#namespaces.set(name, tasks)
    return tasks
  }

  async info(options: RuntimeInfoOptions = {}): Promise<RuntimeInfo> {
    return await runtimeInfo(this.#parts.defaults, options)
  }

  /** Starts the supervisor, for a task that will probably be made in a moment. */
  expectTask(): void {
    const { supervisor, onWarning } = this.#parts
    supervisor.warm().catch((error) => onWarning('no supervisor is ready for the next task', error))
  }

  supervision(): SupervisorStatistics {
    return this.#parts.supervisor.statistics()
  }

  /**
   * Probes the runtime's program now, instead of a while after its first use.
   * @returns whether shortcuts are used with it from now on
   */
  async proveShortcuts(): Promise<boolean> {
    return await this.#parts.shortcuts.prove(new Runc(this.#parts.defaults))
  }

  /** Takes over the tasks of an earlier process, by its bundles, and removes what it had begun to make. */
  async recover(bundles: readonly Bundle[]): Promise<void> {
    // Checkpoints that were interrupted left containers frozen or resumed.
    await undoDumps(bundles, this.#context)
    // Tasks that turn out to have been started remove their images.
    const inUse = imagesInUse(bundles)
    await recoverTasks(bundles, this.#context, (task) => this.namespace(task.namespace).add(task))
    await this.#context.images.clear(inUse)
    this.#parts.shortcuts.resume(new Runc(this.#parts.defaults))
  }

  /** Ends and deletes every task; for directories that do not outlive this process. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#namespaces.values()].map((tasks) => tasks.endAll()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#oom[Symbol.dispose]()
    this.#parts.log[Symbol.dispose]()
    await this.#versions?.[Symbol.asyncDispose]()
    await this.#parts.shortcuts[Symbol.asyncDispose]()
    await this.#parts.supervisor[Symbol.asyncDispose]()
  }
}

/** Images of tasks that are still to be restored. Those of a task that cannot be taken over are unused. */
function imagesInUse(bundles: readonly Bundle[]): ReadonlySet<string> {
  const paths = bundles.map((bundle) => {
    try {
      return readTask(bundle)?.restore?.images
    } catch {
      // A warning was given when the tasks were taken over.
      return undefined
    }
  })
  return new Set(paths.filter((path) => path !== undefined))
}
