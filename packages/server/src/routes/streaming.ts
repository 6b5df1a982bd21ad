import { EmptySchema } from '@bufbuild/protobuf/wkt'
import type { ConnectRouter } from '@connectrpc/connect'
import { packAny, unpackAny } from '@nsbox/api'
import { StreamInitSchema, Streaming } from '@nsbox/api/gen/services/streaming/v1/streaming_pb'
import { onAbort } from '@nsbox/concurrency'
import { NsboxError } from '@nsbox/errors'
import { MessageStream } from '../streaming/message-stream.ts'
import { streamOwner } from '../streaming/stream-owner.ts'
import type { StreamRegistry } from '../streaming/stream-registry.ts'

/**
 * Serves streams that another call of the same client refers to by id. The first message names the stream, an empty
 * response says that it can be used, and it ends when the other call needs it no more.
 */
export function streamingRoutes(router: ConnectRouter, streams: StreamRegistry): void {
  router.service(Streaming, {
    async *stream(requests, context) {
      const owner = streamOwner(context)
      const incoming = requests[Symbol.asyncIterator]()
      const first = await incoming.next()
      if (first.done === true) throw new NsboxError('invalid_argument', 'first message must be a StreamInit')
      const { id } = unpackAny(StreamInitSchema, first.value)
      const stream = new MessageStream(incoming)
      using _aborting = onAbort(context.signal, () => stream.fail(context.signal.reason))
      try {
        streams.offer(owner, id, stream)
        yield packAny(EmptySchema, {})
        yield* stream.outgoing
      } finally {
        stream.end()
      }
    },
  })
}
