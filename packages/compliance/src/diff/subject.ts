import type { ContentStore } from '@nsbox/core/content'
import type { Applier, Comparer } from '@nsbox/core/diff'
import type { SnapshotterSubject } from '../snapshots/subject.ts'

/** An applier and a comparer, and the snapshotter of the trees that they work on. */
export interface DifferSubject extends SnapshotterSubject {
  readonly applier: Applier
  readonly comparer: Comparer
  /** The store that both work with. */
  readonly content: ContentStore
}

/**
 * Makes an applier and a comparer with an empty store and snapshotter; disposing of the subject removes all of them.
 */
export type CreateDiffer = () => Promise<DifferSubject>
