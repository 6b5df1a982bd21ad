import { type Signal, signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { linkState } from '../connection/link.ts'
import { type MetricsSummary, summarize } from './metrics-summary.ts'
import { prometheusSamples } from './prometheus-text.ts'

/** Milliseconds between two readings. */
const interval = 3_000

/** Readings that are kept for the plots. */
const most = 60

/** Whether the server tells of metrics is known after the first reading. */
export type Metrics = readonly MetricsSummary[] | 'none' | undefined

/** The server's metrics, read while a component is shown and the page is visible. */
export function useMetrics(): Signal<Metrics> {
  const metrics = useMemo(() => signal<Metrics>(undefined), [])
  useEffect(() => {
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = async () => {
      if (document.visibilityState === 'visible' && linkState.value.kind === 'live') {
        const next = await readMetrics(stop.signal)
        if (stop.signal.aborted) return
        if (next === 'none') metrics.value = 'none'
        else if (next !== undefined) {
          const before = Array.isArray(metrics.value) ? metrics.value : []
          // A server that was started anew counts anew.
          const isContinued = (before.at(-1)?.calls ?? 0) <= next.calls
          metrics.value = [...(isContinued ? before : []), next].slice(-most)
        }
      }
      timer = setTimeout(() => void read(), interval)
    }
    void read()
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [metrics])
  return metrics
}

async function readMetrics(signal: AbortSignal): Promise<MetricsSummary | 'none' | undefined> {
  try {
    const response = await fetch('/metrics', { signal })
    if (response.status === 404) return 'none'
    return response.ok ? summarize(prometheusSamples(await response.text()), Date.now() / 1000) : undefined
  } catch {
    // The server is away, which the page tells of; the next reading shows when it is there.
    return undefined
  }
}
