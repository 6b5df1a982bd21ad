import {
  type AbortOptions,
  type ProcessStatus,
  type RuntimeTasks,
  type TaskUsage,
  taskUsage,
} from '@nsbox/core/tasks'
import { BoundedNames } from '../counts/bounded-names.ts'

/** The most containers that are measured at each scrape. */
const maxMeasured = 256

/** How many namespaces have series of their own. */
const maxNamespaces = 100

/** How many containers are read in one turn. */
const atOnce = 16

/** What a scrape finds of one container. */
export interface ContainerSample extends TaskUsage {
  readonly namespace: string
  readonly container: string
}

/** What a scrape finds of all tasks. */
export interface TaskSamples {
  /** Tasks by namespace and state. */
  readonly tasks: ReadonlyMap<string, ReadonlyMap<ProcessStatus, number>>
  readonly containers: readonly ContainerSample[]
  /** How many running containers were not measured, since there are too many of them or the time was over. */
  readonly unmeasured: number
}

/** Where to look. */
export interface TaskSampleOptions extends AbortOptions {
  readonly namespaces: readonly string[]
  readonly tasks: (namespace: string) => Pick<RuntimeTasks, 'list' | 'metrics'>
  /** Called with what could not be read; the rest is. */
  readonly onError: (error: unknown, namespace: string) => void
}

/**
 * Counts all tasks, and reads the cgroups of the first running ones, a few at a time. Once the signal aborts, what has
 * been found is all.
 */
export async function sampleTasks({
  namespaces,
  tasks,
  onError,
  signal,
}: TaskSampleOptions): Promise<TaskSamples> {
  const names = new BoundedNames(maxNamespaces)
  const counts = new Map<string, Map<ProcessStatus, number>>()
  const containers: ContainerSample[] = []
  let running = 0
  for (const namespace of namespaces) {
    if (signal?.aborted) break
    try {
      const found = await tasks(namespace).list({ signal })
      if (found.length === 0) continue
      const name = names.of(namespace)
      const states = counts.get(name) ?? new Map<ProcessStatus, number>()
      counts.set(name, states)
      for (const { status } of found) states.set(status, (states.get(status) ?? 0) + 1)
      const ids = found.flatMap(({ containerId, status }) => (isMeasured(status) ? [containerId] : []))
      running += ids.length
      const asked = ids.slice(0, maxMeasured - containers.length)
      for (let at = 0; at < asked.length && !signal?.aborted; at += atOnce) {
        const filters = asked.slice(at, at + atOnce).map((id) => `id==${JSON.stringify(id)}`)
        for (const metrics of await tasks(namespace).metrics(filters, { signal }))
          containers.push({ namespace, container: metrics.id, ...taskUsage(metrics.data) })
      }
    } catch (error) {
      onError(error, namespace)
    }
  }
  return { tasks: counts, containers, unmeasured: Math.max(0, running - containers.length) }
}

const isMeasured = (status: ProcessStatus) => status === 'running' || status === 'paused'
