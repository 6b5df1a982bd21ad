import type { ConnectRouter, HandlerContext } from '@connectrpc/connect'
import { Transfer } from '@nsbox/api/gen/services/transfer/v1/transfer_pb'
import type { Transferrer } from '@nsbox/core/transfer'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { fromEndpointMessage } from '../convert/transfer-endpoint.ts'
import { namespaceOf } from '../rpc/namespace-views.ts'
import type { StreamRegistry } from '../streaming/stream-registry.ts'
import { streamCredentials } from '../transfer/stream-credentials.ts'
import { streamProgress } from '../transfer/stream-progress.ts'

/** Serves transfers, with credentials and progress over streams that the client opened before. */
export function transferRoutes(
  router: ConnectRouter,
  streams: StreamRegistry,
  transferrer: (context: HandlerContext) => Transferrer,
): void {
  router.service(Transfer, {
    async transfer({ source, destination, options }, context) {
      const namespace = namespaceOf(context)
      await using claimed = new AsyncDisposableStack()
      const claim = (id: string) => claimed.adopt(streams.claim(namespace, id), (stream) => stream.finish())
      const progress = options?.progressStream ? streamProgress(claim(options.progressStream)) : undefined
      const credentials = (id: string) => streamCredentials(claim(id))
      await transferrer(context).transfer(
        fromEndpointMessage(source, credentials),
        fromEndpointMessage(destination, credentials),
        { onProgress: progress, signal: context.signal },
      )
      return {}
    },
  })
}
