import type { ConnectRouter } from '@connectrpc/connect'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import { revision, version } from '../version.ts'

/** Serves the version of the server. */
export function versionRoutes(router: ConnectRouter): void {
  router.service(Version, { version: () => ({ version, revision }) })
}
