import type { Interceptor, StreamRequest } from '@connectrpc/connect'
import { abortable } from '@nsbox/concurrency'

/**
 * Lets the call's deadline, or the end of the server, interrupt waiting for the client's next message. Otherwise a
 * silent client could keep a call and its resources for ever.
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
