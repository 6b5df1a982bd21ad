import type { ContainerStore } from '@nsbox/core/containers'
import type { AbortOptions, ContentStore } from '@nsbox/core/content'
import type { Applier } from '@nsbox/core/diff'
import type { Image, ImageStore } from '@nsbox/core/images'
import type { Snapshotter } from '@nsbox/core/snapshots'
import type { PullOptions } from '../transfer-options.ts'
import type { ContainerHandle } from './container-handle.ts'

/** What of a server, seen from one namespace, making containers of images needs. */
export interface ContainerStores {
  readonly namespace: string
  readonly lease: string | undefined
  readonly applier: Applier
  readonly containers: ContainerStore
  readonly content: ContentStore
  readonly images: ImageStore
  snapshotter(name?: string): Snapshotter
  container(id: string): ContainerHandle
  pull(reference: string, options?: PullOptions): Promise<Image>
  createLease(options?: AbortOptions): Promise<ContainerLease>
}

/** A lease that holds what its view makes, until it is disposed of. */
export interface ContainerLease extends AsyncDisposable {
  readonly client: ContainerStores
}
