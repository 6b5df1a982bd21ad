import type { ConnectRouter } from '@connectrpc/connect'
import { unpackAny } from '@nsbox/api'
import { StreamInitSchema, Streaming } from '@nsbox/api/gen/services/streaming/v1/streaming_pb'
import { NsboxError } from '@nsbox/errors'
import { offerStream } from '../streaming/offer-stream.ts'
import type { StreamRegistry } from '../streaming/stream-registry.ts'

/**
 * Serves streams that another call of the same client refers to by id. The first message names the stream, an empty
 * response says that it can be used, and it ends when the other call needs it no more.
 */
export function streamingRoutes(router: ConnectRouter, streams: StreamRegistry): void {
  router.service(Streaming, {
    async *stream(requests, context) {
      const incoming = requests[Symbol.asyncIterator]()
      const first = await incoming.next()
      if (first.done === true) throw new NsboxError('invalid_argument', 'first message must be a StreamInit')
      const { id } = unpackAny(StreamInitSchema, first.value)
      yield* offerStream(streams, { id, incoming }, context)
    },
  })
}
