import type { AbortOptions } from '@nsbox/concurrency'
import type { Snapshotter } from './snapshotter.ts'

/**
 * An extension of snapshotters that another process runs, which may serve others as well. What it says of its
 * snapshots is only its word: who has written to them, or that they are of a layer, is not known.
 */
export interface ForeignSnapshots {
  /**
   * A part of the keys by which the owner's snapshots there are told from those of others; `list` tells of snapshots
   * with such keys only. Without a slash.
   */
  readonly mark: string

  /**
   * The committed snapshot that the snapshotter has by itself for a layer, after it has refused with `already_exists`
   * to prepare one for that (docs/behaviour.md §5). It may serve all namespaces.
   *
   * @param chainId what the label `containerd.io/snapshot.ref` of the refused call said
   * @param parent the key of the parent
   * @returns its key there; undefined if there is none
   */
  findTarget(
    chainId: string,
    parent: string | undefined,
    options: AbortOptions & { readonly namespace: string },
  ): Promise<string | undefined>
}

/** Whether another process runs a snapshotter. */
export function isForeign(snapshotter: Snapshotter): snapshotter is Snapshotter & ForeignSnapshots {
  return typeof (snapshotter as Partial<ForeignSnapshots>).findTarget === 'function'
}
