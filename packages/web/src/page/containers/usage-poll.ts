import { type ReadonlySignal, type Signal, signal } from '@preact/signals'
import { tasks, within } from '../connection/calls.ts'
import { linkState } from '../connection/link.ts'
import { addPoint, type TaskUsage, taskUsage, type UsagePoint } from './task-usage.ts'

/** Milliseconds between two measurements. */
const interval = 2_000

interface Watched {
  readonly namespace: string
  readonly id: string
  readonly points: Signal<readonly UsagePoint[]>
  before: TaskUsage | undefined
  watchers: number
}

/** What is visible, by namespace and id. */
const watched = new Map<string, Watched>()
let isPolling = false

/** The usage of a running task, measured for as long as it is watched and the page is visible. */
export function usageOf(namespace: string, id: string): ReadonlySignal<readonly UsagePoint[]> {
  return entryOf(namespace, id).points
}

/** Measures a task. @returns what ends that */
export function watchUsage(namespace: string, id: string): () => void {
  const entry = entryOf(namespace, id)
  entry.watchers++
  if (!isPolling) void poll()
  return () => {
    entry.watchers--
    if (entry.watchers === 0) watched.delete(keyOf(namespace, id))
  }
}

const keyOf = (namespace: string, id: string) => `${namespace}\0${id}`

function entryOf(namespace: string, id: string): Watched {
  const key = keyOf(namespace, id)
  const found = watched.get(key)
  if (found !== undefined) return found
  const entry: Watched = { namespace, id, points: signal([]), before: undefined, watchers: 0 }
  watched.set(key, entry)
  return entry
}

async function poll(): Promise<void> {
  isPolling = true
  // Rows that appear together are asked for together.
  for (let pause = 0; ; pause = interval) {
    await new Promise((resolve) => setTimeout(resolve, pause))
    const active = [...watched.values()].filter(({ watchers }) => watchers > 0)
    if (active.length === 0) break
    if (document.visibilityState !== 'visible' || linkState.value.kind !== 'live') continue
    for (const namespace of new Set(active.map((entry) => entry.namespace))) {
      const ids = active.filter((entry) => entry.namespace === namespace).map(({ id }) => id)
      await measure(namespace, ids)
    }
  }
  isPolling = false
}

async function measure(namespace: string, ids: readonly string[]): Promise<void> {
  const filters = ids.map((id) => `id==${JSON.stringify(id)}`)
  try {
    const { metrics } = await tasks.metrics({ filters }, within(namespace))
    for (const metric of metrics) {
      const entry = watched.get(keyOf(namespace, metric.id))
      const usage = entry && taskUsage(metric)
      if (entry === undefined || usage === undefined) continue
      entry.points.value = addPoint(entry.points.value, entry.before, usage)
      entry.before = usage
    }
  } catch {
    // A task that ended meanwhile has no metrics, and a server that is away is told of for the whole page.
  }
}
