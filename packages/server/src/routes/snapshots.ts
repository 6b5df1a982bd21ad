import type { ConnectRouter } from '@connectrpc/connect'
import { Snapshots } from '@nsbox/api/gen/services/snapshots/v1/snapshots_pb'
import { NsboxError } from '@nsbox/errors'
import type { ViewOf } from '../rpc/namespace-views.ts'

/**
 * Answers questions about snapshots. No snapshotter is loaded, so there are none: clients that ask whether an image is
 * unpacked, as `images check` does, are told that it is not. What would make a snapshot is unimplemented.
 */
export function snapshotsRoutes(router: ConnectRouter, view: ViewOf): void {
  router.service(Snapshots, {
    stat({ key }, context) {
      view(context)
      throw new NsboxError('not_found', `snapshot ${key} does not exist`)
    },
    // biome-ignore lint/correctness/useYield: there is nothing to list.
    async *list(_request, context) {
      view(context)
    },
  })
}
