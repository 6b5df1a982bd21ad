import type { DescMethod } from '@bufbuild/protobuf'
import { createConnectRouter } from '@connectrpc/connect'
import { registerRoutes } from '../routes/register-routes.ts'
import { sharedServices } from '../shared-services.ts'

/** Every method that a server has, by the API's own descriptors; names such as `grpc.health.v1.Health/Check`. */
export function servedMethods(): ReadonlyMap<string, DescMethod> {
  const router = createConnectRouter()
  // A stand-in for the parts of a server: registering routes does not use them.
  const parts = {
    ...{ metadata: { namespaces: {} }, snapshotters: [], applier: {}, workers: {}, events: {} },
    ...{
      tasks: { runtime: {} },
      isAlone: () => false,
      stopping: new AbortController().signal,
      log: {},
    },
  } as unknown as Parameters<typeof registerRoutes>[1]
  registerRoutes(router, parts, sharedServices(parts))
  return new Map(router.handlers.map(({ service, method }) => [`${service.typeName}/${method.name}`, method]))
}
