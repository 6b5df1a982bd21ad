import { EmptySchema } from '@bufbuild/protobuf/wkt'
import type { HandlerContext } from '@connectrpc/connect'
import { packAny } from '@nsbox/api'
import { onAbort } from '@nsbox/concurrency'
import { MessageStream, type PackedMessage } from './message-stream.ts'
import { streamOwner } from './stream-owner.ts'
import type { StreamRegistry } from './stream-registry.ts'

/** A stream that a client offers. */
export interface OfferedStream {
  readonly id: string
  /** What the client sends. */
  readonly incoming: AsyncIterator<PackedMessage>
}

/**
 * Offers a client's stream to its other calls. Yields an empty message once it can be used, then the messages to the
 * client until the other call needs it no more.
 *
 * @throws as `StreamRegistry.offer`; `deadline_exceeded` if no call uses it
 */
export async function* offerStream(
  streams: StreamRegistry,
  { id, incoming }: OfferedStream,
  context: HandlerContext,
): AsyncGenerator<PackedMessage> {
  const stream = new MessageStream(incoming)
  using _aborting = onAbort(context.signal, () => stream.fail(context.signal.reason))
  try {
    streams.offer(streamOwner(context), id, stream)
    yield packAny(EmptySchema, {})
    yield* stream.outgoing
  } finally {
    stream.end()
  }
}
