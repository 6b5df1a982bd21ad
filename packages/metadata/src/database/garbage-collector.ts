import type { AbortOptions } from '@nsbox/core/content'
import type { Unused } from './unused.ts'

/** Reports of stores to the collector, and their requests. */
export interface GarbageCollector {
  /** Notes that something in a namespace has changed. */
  touched(namespace: string): void
  /** Notes when something expires, in milliseconds of the wall clock; nothing for undefined. */
  expires(time: number | undefined): void
  /** Names objects of the backends that may be unused. */
  unused(unused: Unused): void
  /** Asks for a collection soon, because something was deleted. */
  schedule(): void
  /** Runs a collection that begins after the call, and waits for its end. An abort ends the waiting alone. */
  collect(options?: AbortOptions): Promise<unknown>
  /** Removes unused objects from the backends. */
  removeUnused(): Promise<void>
  /** Finds and removes unused snapshots in a snapshotter, also those of an earlier process. */
  removeOrphanSnapshots(snapshotter: string): Promise<void>
}
