import type { TaskRuntime } from '@nsbox/core/tasks'
import { NamespaceTasks } from './tasks/namespace-tasks.ts'
import { recoverTasks } from './tasks/recover-tasks.ts'
import type { ShimContext } from './tasks/shim-context.ts'

/** Runs tasks by shims: one shim for each task, or fewer if the shims decide so. */
export class ShimRuntime implements Pick<TaskRuntime, 'namespace'>, AsyncDisposable {
  readonly #context: ShimContext
  readonly #namespaces = new Map<string, NamespaceTasks>()

  /** @internal use `openShimRuntime` */
  constructor(context: ShimContext) {
    this.#context = context
  }

  namespace(name: string): NamespaceTasks {
    const existing = this.#namespaces.get(name)
    if (existing !== undefined) return existing
    const tasks = new NamespaceTasks(name, this.#context)
    this.#namespaces.set(name, tasks)
    return tasks
  }

  /**
   * Whether a shim's event should be published. The end of a task is published once: a shim repeats an event that it
   * could not send while there was no server, but the next server may have found the end itself.
   */
  isNews(
    namespace: string,
    topic: string,
    event: { readonly typeUrl: string; readonly value: Uint8Array },
  ): boolean {
    return this.#namespaces.get(namespace)?.isNews(topic, event) ?? true
  }

  /** Takes over the tasks of an earlier process. */
  async recover(): Promise<void> {
    await recoverTasks(this.#context, (task) => this.namespace(task.namespace).add(task))
  }

  /** Ends and deletes every task; for directories that do not outlive this process. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#namespaces.values()].map((tasks) => tasks.endAll()))
  }

  /** Closes the runtime, after clean-ups that are under way; shims go on. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#namespaces.values()].map((tasks) => tasks.leave()))
  }
}
