import { isForeign } from '@nsbox/core/snapshots'
import type { Logger } from 'pino'
import type { SnapshotterEntry } from './open-snapshotters.ts'

/**
 * Removes in the background what a killed server has left in its own snapshotters. Disposing of it aborts that; the
 * next server continues.
 */
export function backgroundCleanup(entries: readonly SnapshotterEntry[], log: Logger): AsyncDisposable {
  const stopping = new AbortController()
  const { signal } = stopping
  const cleanUp = async ({ name, snapshotter }: SnapshotterEntry) => {
    if (snapshotter === undefined || isForeign(snapshotter)) return
    try {
      await snapshotter.cleanup({ signal })
    } catch (err) {
      if (!signal.aborted) log.warn({ err, snapshotter: name }, 'cleaning up snapshots')
    }
  }
  const done = Promise.all(entries.map(cleanUp))
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await done
    },
  }
}
