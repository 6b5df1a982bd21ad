import type { Any } from '@bufbuild/protobuf/wkt'
import { NsboxError } from '@nsbox/errors'
import { type AnyLike, packAny, unpackAny } from './any.ts'
import { DataSchema, WindowUpdateSchema } from './gen/types/transfer/streaming_pb.ts'

/** One end of a stream of packed messages. */
export interface MessageChannel {
  send(message: Any): void | Promise<void>
  /** The other end's next message; undefined if it sends no more. */
  receive(options?: WaitOptions): Promise<AnyLike | undefined>
}

interface WaitOptions {
  readonly signal?: AbortSignal | undefined
}

/** The window: how many bytes the sender may send before it gets an update, and the most that it may ask for. */
const windowSize = 1024 * 1024

/** The most bytes of one message; what containerd's own clients send. */
const pieceSize = 32 * 1024

/**
 * The bytes that come over a stream, until no more are sent (`containerd.types.transfer.Data`). The sender is told how
 * many it may send (`WindowUpdate`), so that no more than a window of them is on its way.
 *
 * @throws `invalid_argument` for a message of another kind; what the channel throws
 */
export async function* receiveBytes(
  channel: MessageChannel,
  options: WaitOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let window = 0; ; ) {
    if (window < windowSize) {
      await channel.send(packAny(WindowUpdateSchema, { update: windowSize }))
      window += windowSize
    }
    const message = await channel.receive(options)
    if (message === undefined) return
    const { data } = unpackAny(DataSchema, message)
    // A sender that exceeds its window is held back by the transport.
    window = Math.max(0, window - data.byteLength)
    if (data.byteLength > 0) yield data
  }
}

/**
 * Sends bytes over a stream, as many as the receiver has granted. Each chunk goes out by itself, in messages of 32 KiB
 * at most, so whoever has many small ones puts them together first. The caller ends the stream, which means that these
 * are all.
 *
 * @throws what `bytes` and the channel throw; `invalid_argument` for a message of another kind, `unavailable` if the
 * other end takes no more
 */
export async function sendBytes(
  channel: MessageChannel,
  bytes: AsyncIterable<Uint8Array>,
  options: WaitOptions = {},
): Promise<void> {
  let window = 0
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.byteLength; ) {
      if (window <= 0) window = await nextWindow(channel, options)
      const data = chunk.subarray(at, at + Math.min(window, pieceSize))
      await channel.send(packAny(DataSchema, { data }))
      window -= data.byteLength
      at += data.byteLength
    }
  }
}

async function nextWindow(channel: MessageChannel, options: WaitOptions): Promise<number> {
  const message = await channel.receive(options)
  if (message === undefined) throw new NsboxError('unavailable', 'the other end takes no more of the stream')
  const { update } = unpackAny(WindowUpdateSchema, message)
  if (update <= 0) throw new NsboxError('invalid_argument', `window update of ${update} bytes`)
  return Math.min(update, windowSize)
}
