import type { AbortOptions } from '@nsbox/core/content'
import type { Applier } from '@nsbox/core/diff'
import type { Metadata } from '@nsbox/metadata'
import type { UnpackDestinations } from './transfer-service.ts'

/** What a server unpacks with. */
export interface UnpackParts {
  readonly metadata: Pick<Metadata, 'namespace'>
  /** Applies the blobs of all namespaces. */
  readonly applier: Applier
  /** Name of the snapshotter that a namespace has by default. */
  readonly defaultSnapshotter: (namespace: string, options: AbortOptions) => Promise<string>
}

/** Unpacks into the snapshots of the caller's namespace, under the caller's lease. */
export function unpackDestinations({
  metadata,
  applier,
  defaultSnapshotter,
}: UnpackParts): UnpackDestinations {
  return async ({ namespace, lease }, given, options) => {
    const view = metadata.namespace(namespace, { lease })
    const snapshotterName = given ?? (await defaultSnapshotter(namespace, options))
    return { snapshotter: view.snapshotter(snapshotterName), snapshotterName, applier: view.applier(applier) }
  }
}
