import type { Interceptor, StreamRequest } from '@connectrpc/connect'
import { abortable } from '@nsbox/concurrency'

/**
 * Lets whoever waits for the client's next message be interrupted by the call's deadline, or by the end of the server;
 * otherwise a client that says nothing could hold a call, and what the call holds, for as long as it likes.
 */
export const interruptibleRequests: Interceptor = (next) => (request) => {
  return next(
    request.stream ? { ...request, message: interruptible(request.message, request.signal) } : request,
  )
}

function interruptible(messages: StreamRequest['message'], signal: AbortSignal): StreamRequest['message'] {
  return {
    [Symbol.asyncIterator]() {
      const source = messages[Symbol.asyncIterator]()
      return {
        next: () => abortable(source.next(), { signal }),
        return: async () => {
          // The source may be waiting for a message that never comes, and so may its end.
          source.return?.().catch(() => undefined)
          return { done: true, value: undefined }
        },
      }
    },
  }
}
