import type { ContainerStore } from '@nsbox/core/containers'
import type { ObjectReader } from '@nsbox/core/disk'
import type { ImageStore } from '@nsbox/core/images'
import type { LeaseStore } from '@nsbox/core/leases'
import type { NamespaceStore } from '@nsbox/namespaces'
import type { Disk } from './disk.ts'

/** What of a client's view its disk is made of. */
export interface DiskView {
  readonly namespace: string
  readonly namespaces: NamespaceStore
  readonly images: ImageStore
  readonly containers: ContainerStore
  readonly leases: LeaseStore
  readonly disk: Pick<Disk, keyof ObjectReader | 'collect'>
  withNamespace(namespace: string): DiskView
}
