import type { Sample } from './prometheus-text.ts'

/** What the server tells of itself at a moment. Times are in seconds. */
export interface MetricsSummary {
  /** Since 1970. */
  readonly at: number
  /** Calls that have ended since the server was started. */
  readonly calls: number
  /** Bytes of memory in use by the process. */
  readonly memory: number | undefined
  /** For how long the event loop was busy, and waited, since the server was started. */
  readonly busy: number
  readonly idle: number
  /** How late the event loop was: what 99 of 100 times do not exceed. */
  readonly loopDelay: number | undefined
  /** By method, those called the most first. */
  readonly methods: readonly MethodSummary[]
  readonly collector: CollectorSummary
}

export interface MethodSummary {
  readonly method: string
  readonly calls: number
  /** How long they took on average; undefined where it is not told. */
  readonly mean: number | undefined
}

/** What the collector has done since the server was started. */
export interface CollectorSummary {
  readonly runs: number
  readonly failures: number
  /** How long a run took on average. */
  readonly mean: number | undefined
  readonly objects: number
  readonly bytes: number
}

/** Most methods that are told of. */
const mostMethods = 50

/** Sums up metrics. What the server does not tell of is left out, or 0. */
export function summarize(samples: readonly Sample[], at: number): MetricsSummary {
  const byName = new Map<string, Sample[]>()
  for (const sample of samples) {
    const others = byName.get(sample.name)
    if (others === undefined) byName.set(sample.name, [sample])
    else others.push(sample)
  }
  const all = (name: string) => byName.get(name) ?? []
  const total = (name: string) => all(name).reduce((sum, { value }) => sum + value, 0)
  const methods = byMethod(all('nsbox_calls_total'))
  const counts = byMethod(all('nsbox_call_duration_seconds_count'))
  const sums = byMethod(all('nsbox_call_duration_seconds_sum'))
  const runs = total('nsbox_collection_duration_seconds_count')
  return {
    at,
    calls: total('nsbox_calls_total'),
    memory: all('process_resident_memory_bytes')[0]?.value,
    busy: total('nsbox_event_loop_active_seconds_total'),
    idle: total('nsbox_event_loop_idle_seconds_total'),
    loopDelay: quantile(all('nsbox_event_loop_delay_seconds_bucket'), 0.99),
    methods: [...methods]
      .map(([method, calls]) => ({
        method,
        calls,
        mean: mean(sums.get(method) ?? 0, counts.get(method) ?? 0),
      }))
      .sort((a, b) => b.calls - a.calls)
      .slice(0, mostMethods),
    collector: {
      runs,
      failures: total('nsbox_collection_failures_total'),
      mean: mean(total('nsbox_collection_duration_seconds_sum'), runs),
      objects: total('nsbox_collected_objects_total'),
      bytes: total('nsbox_collected_bytes_total'),
    },
  }
}

function byMethod(samples: readonly Sample[]): Map<string, number> {
  const found = new Map<string, number>()
  for (const { labels, value } of samples) {
    const key = `${labels.service ?? ''}/${labels.method ?? ''}`
    found.set(key, (found.get(key) ?? 0) + value)
  }
  return found
}

function mean(sum: number, count: number): number | undefined {
  return count === 0 ? undefined : sum / count
}

/** The bound of the first bucket that has at least that share of all; undefined where there are none. */
function quantile(buckets: readonly Sample[], share: number): number | undefined {
  const sorted = buckets
    .map(({ labels, value }) => ({ bound: boundOf(labels.le), value }))
    .sort((a, b) => a.bound - b.bound)
  const all = sorted.at(-1)?.value ?? 0
  if (all === 0) return undefined
  const bound = sorted.find(({ value }) => value >= share * all)?.bound
  return bound === Number.POSITIVE_INFINITY ? sorted.at(-2)?.bound : bound
}

function boundOf(le: string | undefined): number {
  return le === '+Inf' || le === undefined ? Number.POSITIVE_INFINITY : Number(le)
}
