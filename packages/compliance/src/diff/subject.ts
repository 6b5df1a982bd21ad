import type { ContentStore } from '@nsbox/core/content'
import type { Applier, Comparer } from '@nsbox/core/diff'
import type { SnapshotterSubject } from '../snapshots/subject.ts'

/** An applier and a comparer, and the snapshotter that makes the trees which they compare and apply to. */
export interface DifferSubject extends SnapshotterSubject {
  readonly applier: Applier
  readonly comparer: Comparer
  /** The store that both work with. */
  readonly content: ContentStore
}

/** Makes an applier and a comparer with a store and a snapshotter that are empty, and takes all of it away again. */
export type CreateDiffer = () => Promise<DifferSubject>
