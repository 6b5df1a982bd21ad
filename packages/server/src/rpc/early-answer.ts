import { constants, type ServerHttp2Stream } from 'node:http2'
import type { NodeResponse } from './node-request.ts'

/**
 * Resets the stream after an answer that came before the client's last message. Otherwise the stream would stay open,
 * with the client's bytes in its window, until the client closes it (docs/behaviour.md §13).
 *
 * To be called before the answer is sent.
 */
export function resetAfterEarlyAnswer(response: NodeResponse): void {
  if ('stream' in response) response.stream.once('wantTrailers', () => resetUnlessComplete(response.stream))
}

/** Resets a stream whose answer has been sent, once it is on its way. */
export function resetUnlessComplete(stream: ServerHttp2Stream): void {
  if (stream.readableEnded) return
  setImmediate(() => {
    if (!stream.closed && !stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR)
  })
}
