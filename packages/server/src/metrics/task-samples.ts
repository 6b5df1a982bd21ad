import type { AbortOptions, ProcessStatus, RuntimeTasks, TaskMetrics } from '@nsbox/core/tasks'
import { BoundedNames } from '../counts/bounded-names.ts'

/** The most containers that are measured at each scrape. */
const maxMeasured = 256

/** How many namespaces have series of their own. */
const maxNamespaces = 100

/** How many containers are read in one turn. */
const atOnce = 16

/** What a scrape finds of one container. */
export interface ContainerSample {
  readonly namespace: string
  readonly container: string
  readonly cpuSeconds?: number | undefined
  readonly memoryBytes?: number | undefined
  /** Memory without what the kernel can drop of files at once. */
  readonly workingSetBytes?: number | undefined
  readonly pids?: number | undefined
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
          containers.push(sample(namespace, metrics))
      }
    } catch (error) {
      onError(error, namespace)
    }
  }
  return { tasks: counts, containers, unmeasured: Math.max(0, running - containers.length) }
}

const isMeasured = (status: ProcessStatus) => status === 'running' || status === 'paused'

function sample(namespace: string, { id: container, data }: TaskMetrics): ContainerSample {
  if ('opaque' in data) return { namespace, container }
  const pids = data.metrics.pids && Number(data.metrics.pids.current)
  if (data.cgroup === 2) {
    const { cpu, memory } = data.metrics
    return {
      ...{ namespace, container, pids },
      cpuSeconds: cpu && Number(cpu.usageUsec) / 1e6,
      memoryBytes: memory && Number(memory.usage),
      workingSetBytes: memory && workingSet(memory.usage, memory.inactiveFile),
    }
  }
  const { cpu, memory } = data.metrics
  return {
    ...{ namespace, container, pids },
    cpuSeconds: cpu?.usage && Number(cpu.usage.total) / 1e9,
    memoryBytes: memory?.usage && Number(memory.usage.usage),
    workingSetBytes: memory?.usage && workingSet(memory.usage.usage, memory.totalInactiveFile),
  }
}

const workingSet = (usage: bigint, inactiveFile: bigint) => Math.max(0, Number(usage - inactiveFile))
