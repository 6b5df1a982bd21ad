import type { Interceptor } from '@connectrpc/connect'
import type { Snapshotter } from '@nsbox/core/snapshots'
import { snapshotsRoutes } from '../routes/snapshots.ts'
import { type ServedRoutes, serveRoutes } from './serve-routes.ts'

/**
 * Serves a snapshotter as programs do that are made for containerd's proxy plugins: whatever the namespace and the name
 * in a request, it is the one that they have.
 */
export async function serveSnapshotter(
  snapshotter: Snapshotter,
  interceptors: Interceptor[] = [],
): Promise<ServedRoutes> {
  return await serveRoutes((router) => snapshotsRoutes(router, async () => snapshotter), {
    inner: interceptors,
  })
}
