import { effect, type Signal, signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { errorText } from './error-text.ts'
import { epoch, linkState, onEvent } from './link.ts'

/** What has been asked of the server. */
export interface Resource<T> {
  /** What came last; undefined before. */
  readonly value: Signal<T | undefined>
  /** Why it could not be asked for the last time. */
  readonly failure: Signal<string | undefined>
  /** Asks again. */
  reload(): void
}

/** Least milliseconds between two times that the same is asked for. */
const restTime = 400

/**
 * What the server tells, asked for when a component appears, when the server is reached again, and after events.
 *
 * @param changes whether what happened changes it
 */
export function useResource<T>(
  load: (signal: AbortSignal) => Promise<T>,
  changes: (topic: string) => boolean,
  dependencies: readonly unknown[] = [],
): Resource<T> {
  // The caller names what the two functions depend on.
  const { resource, start } = useMemo(() => follow(load, changes), dependencies)
  useEffect(start, [start])
  return resource
}

function follow<T>(load: (signal: AbortSignal) => Promise<T>, changes: (topic: string) => boolean) {
  const value = signal<T | undefined>(undefined)
  const failure = signal<string | undefined>(undefined)
  let running: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let isStale = false

  const run = async () => {
    timer = undefined
    isStale = false
    const current = new AbortController()
    running = current
    try {
      const loaded = await load(current.signal)
      if (current.signal.aborted) return
      value.value = loaded
      failure.value = undefined
    } catch (error) {
      // What fails because the server is away is told of once, for the whole page.
      if (!current.signal.aborted && linkState.value.kind === 'live') failure.value = errorText(error)
    } finally {
      if (running === current) running = undefined
      if (isStale && !current.signal.aborted) later()
    }
  }
  /** Many events at a time, such as those of a pull, lead to one question, and to another when it is answered. */
  const later = () => {
    isStale = true
    if (running === undefined) timer ??= setTimeout(() => void run(), restTime)
  }
  const start = () => {
    const ends = [
      effect(() => {
        if (epoch.value === 0) return
        running?.abort()
        clearTimeout(timer)
        void run()
      }),
      onEvent(({ topic }) => {
        if (changes(topic)) later()
      }),
    ]
    return () => {
      for (const end of ends) end()
      clearTimeout(timer)
      timer = undefined
      running?.abort()
    }
  }
  return { resource: { value, failure, reload: later }, start }
}
