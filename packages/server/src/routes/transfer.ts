import type { ConnectRouter, HandlerContext } from '@connectrpc/connect'
import { receiveBytes, sendBytes } from '@nsbox/api'
import { Transfer } from '@nsbox/api/gen/services/transfer/v1/transfer_pb'
import type { ArchiveSink, Transferrer } from '@nsbox/core/transfer'
import { inBlocks } from '@nsbox/diff/archive'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { fromArchiveSinkMessage, fromArchiveSourceMessage } from '../convert/archive-endpoint.ts'
import { fromEndpointMessage } from '../convert/transfer-endpoint.ts'
import { streamOwner } from '../streaming/stream-owner.ts'
import type { StreamRegistry } from '../streaming/stream-registry.ts'
import { streamCredentials } from '../transfer/stream-credentials.ts'
import { streamLog } from '../transfer/stream-log.ts'
import { streamProgress } from '../transfer/stream-progress.ts'

/** Serves transfers, with credentials, progress and archives over streams that the client opened before. */
export function transferRoutes(
  router: ConnectRouter,
  streams: StreamRegistry,
  transferrer: (context: HandlerContext) => Transferrer,
): void {
  router.service(Transfer, {
    async transfer({ source, destination, options }, context) {
      const owner = streamOwner(context)
      await using claimed = new AsyncDisposableStack()
      const claim = (id: string) => claimed.adopt(streams.claim(owner, id), (stream) => stream.finish())
      const progress = options?.progressStream
        ? claimed.use(streamProgress(claim(options.progressStream)))
        : undefined
      const { signal } = context
      const beside = {
        credentials: (id: string) => streamCredentials(claim(id)),
        log: (id: string) => claimed.use(streamLog(claim(id), { signal })),
      }
      const receive = (id: string) => receiveBytes(claim(id), { signal })
      const send = (id: string): ArchiveSink['take'] => {
        const stream = claim(id)
        return async (bytes, abort) => {
          try {
            await sendBytes(stream, inBlocks(bytes), abort)
          } catch (error) {
            // A normal end would mean that the data is complete.
            stream.fail(error)
            throw error
          }
        }
      }
      await transferrer(context).transfer(
        fromArchiveSourceMessage(source, receive) ?? fromEndpointMessage(source, beside),
        fromArchiveSinkMessage(destination, send) ?? fromEndpointMessage(destination, beside),
        { onProgress: progress, signal },
      )
      return {}
    },
  })
}
