import type { ContainerStore } from '@nsbox/core/containers'
import type { AbortOptions, ContentStore } from '@nsbox/core/content'
import type { Applier, Comparer } from '@nsbox/core/diff'
import type { ImageStore } from '@nsbox/core/images'
import type { LeaseStore } from '@nsbox/core/leases'
import type { Snapshotter } from '@nsbox/core/snapshots'
import type { Tasks } from '@nsbox/core/tasks'

/** The stores of a server that making and restoring checkpoints needs. */
export interface CheckpointStores {
  readonly namespace: string
  readonly containers: ContainerStore
  readonly content: ContentStore
  readonly images: ImageStore
  readonly tasks: Tasks
  readonly leases: LeaseStore
  readonly applier: Applier
  readonly comparer: Comparer
  snapshotter(name?: string): Snapshotter
  createLease(options?: AbortOptions): Promise<CheckpointLease>
}

/** A lease that holds what its view makes, until it is disposed of. */
export interface CheckpointLease extends AsyncDisposable {
  readonly id: string
  readonly client: CheckpointStores
}
